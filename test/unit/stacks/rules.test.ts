import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { parseRules } from "../../../components/rules/parse";
import { parseConfig } from "../../../stacks/config";
import { buildTopology, type Topology } from "../../../stacks/topology";
import { run, type Recorded } from "./recorder";
import { SERVICES } from "./services";

const TEXT = `groups:
  - name: tenant
    rules:
      - alert: Down
        expr: up == 0
      - record: net:x:sum
        expr: sum by (net) (x)
        labels: { sharded: "true" }
`;
const { files } = parseRules({ "tenant.yaml": TEXT }, { minimumOffset: 0 });
const SHARDED = { createThanos: true, serversCount: 2, retiredShards: [4] };

function topologyOf(raw: Readonly<Record<string, unknown>>): Topology {
  return buildTopology(parseConfig(raw), SERVICES, files);
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly image: string;
}

function objectOf(resources: readonly Recorded[], kind: string, name: string): Readonly<Record<string, unknown>> {
  const found = resources.find((each) => each.type.endsWith(`:${kind}`) && each.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found.inputs;
}

function containersOf(resources: readonly Recorded[], name: string): readonly Container[] {
  const { spec } = objectOf(resources, "StatefulSet", name) as {
    spec: { template: { spec: { containers: readonly Container[] } } };
  };
  return spec.template.spec.containers;
}

describe("where rules are evaluated", () => {
  test("single size: all on the Prometheus, and there is no Ruler", () => {
    const topology = topologyOf({});
    expect(topology.ruler).toBeUndefined();
    const rules = topology.shards[0]?.replicas[0]?.prometheus.rules ?? {};
    expect(Object.keys(rules)).toStrictEqual(["tenant.yaml"]);
    expect(rules["tenant.yaml"]).toContain("alert: Down");
    expect(rules["tenant.yaml"]).toContain("expr: sum by (net) (x)");
  });

  test("sharded sizes: the tenants' only on the Ruler, generated parts on every shard, also retired ones", () => {
    const topology = topologyOf(SHARDED);
    expect(topology.ruler?.rules["tenant.yaml"]).toContain("alert: Down");
    const shards = topology.shards.map(({ index, replicas }) => [index, replicas[0]?.prometheus.rules["tenant.yaml"]]);
    for (const [index, text] of shards) {
      expect(load(String(text))).toStrictEqual({
        groups: [
          {
            name: "tenant",
            rules: [
              {
                record: "net:x:sum:per_shard",
                expr: "sum by (net) (x)",
                labels: { cluster: "main", shard: String(index) },
              },
            ],
          },
        ],
      });
    }
    expect(shards.map(([index]) => index)).toStrictEqual([0, 1, 4]);
  });
});

describe("the Ruler", () => {
  test("asks the Queriers, lags two scrape intervals, keeps results as long as the shards, tells the one Alertmanager", () => {
    const { ruler } = topologyOf({ ...SHARDED, push: { scrapeInterval: "7s" }, retention: { sharded: "9d" } });
    expect(ruler?.flags).toMatchObject({
      "alert.label-drop": ["cluster", "shard", "prometheus_replica"],
      "alertmanagers.url": "http://alertmanager.scaled-prometheus.svc:9093",
      // One by one: a root that may not answer is passed over.
      query: "dns+querier-pods.scaled-prometheus.svc:10902",
      "rule-query-offset": "14s",
      "tsdb.retention": "9d",
    });
    expect(ruler?.labels).toStrictEqual({ cluster: "main", shard: "ruler" });
    expect(ruler?.replicas).toBe(2);
  });

  test("nothing of it depends on the number of shards", () => {
    const [few, many] = [2, 3].map((serversCount) => topologyOf({ ...SHARDED, serversCount }).ruler);
    expect(many).toStrictEqual(few);
  });

  test("its objects: rules in a map that changes in place, watched by rules-sync", async () => {
    const { resources } = await run(SHARDED, files);
    expect(objectOf(resources, "ConfigMap", "ruler-rules")["data"]).toHaveProperty(["tenant.yaml"]);
    expect(objectOf(resources, "ConfigMap", "ruler-rules")).not.toHaveProperty("immutable");
    const [ruler, sync] = containersOf(resources, "ruler");
    expect(ruler?.args).toStrictEqual([
      "rule",
      "--alert.label-drop=cluster",
      "--alert.label-drop=shard",
      "--alert.label-drop=prometheus_replica",
      "--alert.query-url=http://query.scaled-prometheus.svc:9090",
      "--alertmanagers.url=http://alertmanager.scaled-prometheus.svc:9093",
      "--data-dir=/var/thanos",
      "--enable-auto-gomemlimit",
      "--eval-interval=1m",
      "--grpc-address=0.0.0.0:10901",
      "--http-address=0.0.0.0:10902",
      '--label=cluster="main"',
      '--label=shard="ruler"',
      '--label=prometheus_replica="$(POD_NAME)"',
      "--query=dns+querier-pods.scaled-prometheus.svc:10902",
      "--rule-file=/etc/thanos/rules/[^.]*",
      "--rule-query-offset=30s",
      "--tsdb.retention=15d",
    ]);
    expect(sync?.args.slice(2)).toStrictEqual([
      "rules-sync",
      "--watch",
      "/etc/thanos/rules",
      "--reload",
      "http://127.0.0.1:10902/-/reload",
      "--ops",
      "0.0.0.0:8080",
    ]);
  });

  test("a changed rule changes maps only: nothing restarts", async () => {
    const changed = parseRules({ "tenant.yaml": TEXT.replace("up == 0", "up == 1") }, { minimumOffset: 0 }).files;
    for (const config of [SHARDED, {}]) {
      const [before, after] = [await run(config, files), await run(config, changed)];
      const different = after.resources.filter(
        (each, at) => JSON.stringify(each) !== JSON.stringify(before.resources[at]),
      );
      expect(different.map(({ type }) => type)).toStrictEqual(["kubernetes:core/v1:ConfigMap"]);
    }
  });
});

describe("Alertmanager's config", () => {
  const CONFIG = {
    route: { receiver: "ops" },
    receivers: [{ name: "ops", webhook_configs: [{ url: "http://x/secret" }] }],
  };

  test("goes into a Secret, watched by rules-sync; by default nobody is notified", async () => {
    const content = async (raw: Readonly<Record<string, unknown>>) => {
      const { data } = objectOf((await run(raw)).resources, "Secret", "alertmanager") as {
        // How the engine is told that something is a secret.
        data: { readonly "4dabf18193072939515e22adb298388d": string; readonly value: Record<string, string> };
      };
      expect(data["4dabf18193072939515e22adb298388d"]).toBe("1b47061264138c4ac30d75fd1eb44270");
      return load(Buffer.from(data.value["alertmanager.yaml"] ?? "", "base64").toString());
    };
    expect(await content({ alertmanager: { config: CONFIG } })).toStrictEqual(CONFIG);
    expect(await content({})).toStrictEqual({ route: { receiver: "none" }, receivers: [{ name: "none" }] });
    const { resources } = await run({});
    expect(containersOf(resources, "alertmanager").map(({ name }) => name)).toStrictEqual([
      "alertmanager",
      "rules-sync",
    ]);
  });

  test.each([
    ["no route", { receivers: [] }, "alertmanager.config.route.receiver is missing"],
    ["a receiver that is not there", { route: { receiver: "a" } }, 'alertmanager.config.route.receiver is "a"'],
    [
      "a receiver of a route further down that is not there",
      { ...CONFIG, route: { receiver: "ops", routes: [{ receiver: "ops" }, { routes: [{ receiver: "b" }] }] } },
      'alertmanager.config.route.routes[1].routes[0].receiver is "b"',
    ],
    [
      "two receivers of one name",
      { ...CONFIG, receivers: [{ name: "ops" }, { name: "ops" }] },
      'alertmanager.config.receivers[1].name is "ops"',
    ],
    ["a receiver without a name", { ...CONFIG, receivers: [{ name: "ops" }, {}] }, "receivers[1].name is missing"],
  ])("%s is refused", (_, config, message) => {
    expect(() => parseConfig({ alertmanager: { config } })).toThrow(message);
  });

  test("an error never shows the config itself", () => {
    expect(() => parseConfig({ alertmanager: { config: "password" } })).toThrow("alertmanager.config is not shown");
  });
});
