import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseConfig } from "../../../stacks/config";
import { buildTopology } from "../../../stacks/topology";
import { run, type Recorded } from "./recorder";
import { SERVICES } from "./services";

const SHARDED = { createThanos: true, serversCount: 2, retiredShards: [2] };

const topologyOf = (raw: Readonly<Record<string, unknown>>) => buildTopology(parseConfig(raw), SERVICES);

const containerSchema = z.object({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});
const podSchema = z.object({
  replicas: z.number(),
  template: z.object({
    spec: z.object({
      containers: z.array(containerSchema),
      initContainers: z.array(containerSchema).default([]),
      automountServiceAccountToken: z.literal(false),
      serviceAccountName: z.string(),
    }),
  }),
});

function statefulSet(resources: readonly Recorded[], name: string) {
  const found = resources.find((each) => each.type.endsWith(":StatefulSet") && each.name === name);
  if (found === undefined) throw new Error(`no StatefulSet ${name}`);
  const { replicas, template } = podSchema.parse(found.inputs["spec"]);
  return { replicas, ...template.spec, protect: found.protect };
}

const container = (pod: { readonly containers: readonly z.infer<typeof containerSchema>[] }, name: string) =>
  pod.containers.find((each) => each.name === name);

describe("without configManager", () => {
  test.each([[{}], [SHARDED]])("%j has nothing of it", async (config) => {
    const { resources } = await run(config);
    const text = JSON.stringify(resources);
    for (const word of ["configmanager", "configurer", "rules-puller", "managed-rules", "alertmanager-seed"]) {
      expect(text).not.toContain(word);
    }
  });
});

describe("with configManager", () => {
  test.each([
    ["single", {}, ["prometheus-shard-0-a-0"], ["prometheus-shard-0-a"]],
    ["sharded", SHARDED, ["ruler-0", "ruler-1"], ["ruler"]],
  ] as const)("%s: those who evaluate the rules pull them, and nobody else", async (_size, config, consumers, sets) => {
    const topology = topologyOf({ ...config, configManager: true });
    expect(topology.configManager?.consumers).toStrictEqual(consumers);
    const { resources } = await run({ ...config, configManager: true });
    const pulling = resources
      .filter(({ type, inputs }) => type.endsWith(":StatefulSet") && JSON.stringify(inputs).includes("rules-puller"))
      .map(({ name }) => name);
    expect(pulling).toStrictEqual(sets);
  });

  test("one writer on a volume of its own, which only it may write", async () => {
    const { resources } = await run({ ...SHARDED, configManager: true });
    const pod = statefulSet(resources, "configmanager");
    expect(pod).toMatchObject({ replicas: 1, protect: true, serviceAccountName: "configmanager" });
    expect(container(pod, "configmanager")).toMatchObject({
      image: "docker.io/facebookincubator/prometheus-configurer:1.0.4",
      args: [
        "--logtostderr",
        "--multitenant-label=networkID",
        "--port=9100",
        "--prometheusURL=127.0.0.1:9103",
        "--restrict-queries",
        "--rules-dir=/rules",
      ],
      volumeMounts: [{ name: "data", mountPath: "/rules" }],
    });
    expect(container(pod, "rules-server")?.args).toContain("ruler-0,ruler-1");
    expect(container(pod, "rules-server")?.volumeMounts[0]).toStrictEqual({
      name: "data",
      mountPath: "/rules",
      readOnly: true,
    });
  });

  test("the images can be others, each by itself", async () => {
    const images = { prometheusConfigurer: "example.org/p:1", alertmanagerConfigurer: "example.org/a:2" };
    const { resources } = await run({ configManager: true, images });
    expect(container(statefulSet(resources, "configmanager"), "configmanager")?.image).toBe("example.org/p:1");
    expect(container(statefulSet(resources, "alertmanager"), "alertmanager-configurer")?.image).toBe("example.org/a:2");
  });

  test("the Rulers read the pulled files beside their own; so does the one Prometheus, with its labels on the rules", () => {
    const sharded = topologyOf({ ...SHARDED, configManager: true });
    expect(sharded.ruler?.flags["rule-file"]).toStrictEqual([
      "/etc/thanos/rules/[^.]*",
      "/var/thanos/managed-rules/[^.]*.yml",
    ]);
    const shards = sharded.shards.flatMap(({ replicas }) => replicas.map(({ prometheus }) => prometheus));
    expect(JSON.stringify(shards)).not.toContain("managed-rules");
    const single = topologyOf({ configManager: true }).shards[0]?.replicas[0]?.prometheus;
    expect(single?.config).toMatchObject({
      rule_files: ["/etc/prometheus/rules-*", "/prometheus/managed-rules/[^.]*.yml"],
    });
    expect(single?.puller).toMatchObject({ target: "prometheus", labels: { cluster: "main", shard: "0" } });
  });

  test("Alertmanager runs with what the API writes on its volume; the config key is only its seed", async () => {
    const { resources } = await run({ configManager: true });
    const pod = statefulSet(resources, "alertmanager");
    const file = "/alertmanager/config/alertmanager.yml";
    expect(container(pod, "alertmanager")?.args).toContain(`--config.file=${file}`);
    expect(container(pod, "alertmanager-configurer")?.args).toStrictEqual([
      `--alertmanager-conf=${file}`,
      "--alertmanagerURL=127.0.0.1:9093",
      "--delete-route-with-receiver",
      "--logtostderr",
      "--multitenant-label=networkID",
      "--port=9101",
      "--template-directory=/alertmanager/config/templates/",
    ]);
    expect(container(pod, "rules-sync")?.args).toContain("/alertmanager/config");
    expect(pod.initContainers.map(({ name }) => name)).toStrictEqual(["config-seed"]);
    expect(resources.some(({ type, name }) => type.endsWith(":Secret") && name === "alertmanager-seed")).toBe(true);
  });

  test("monitoring finds it", () => {
    const config = JSON.stringify(topologyOf({ ...SHARDED, configManager: true }).monitoring?.config);
    expect(config).toContain("configmanager.scaled-prometheus.svc");
  });
});
