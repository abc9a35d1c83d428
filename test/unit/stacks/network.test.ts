import { describe, expect, it } from "vitest";
import { clients } from "../../../policies/kit/clients";
import { isAllowed, isLetIn, networkPolicies } from "../../../policies/kit/network";
import { containerPort, isSelected, services } from "../../../policies/kit/pipeline";
import type { Resource } from "../../../policies/kit/policy";
import { workloads } from "../../../policies/kit/workloads";
import { edgesOf } from "../../../model/edges";
import { POD_COMPONENTS } from "../../../model/parts";
import { ConfigError, parseConfig } from "../../../stacks/config";
import { run } from "./recorder";

async function recorded(config: Readonly<Record<string, unknown>>): Promise<readonly Resource[]> {
  const { resources } = await run(config);
  return resources.map(({ type, name, inputs }) => ({
    urn: `${type}::${name}`,
    type,
    name,
    props: inputs,
    isProtected: false,
  }));
}

const SIZES = [
  ["single", { configManager: true }],
  ["sharded", { createThanos: true, serversCount: 3, retiredShards: [3], configManager: true }],
] as const;

function found(resources: readonly Resource[], name: string) {
  const workload = workloads(resources).find((each) => each.name === name);
  if (workload === undefined) throw new Error(`no workload ${name}`);
  return workload;
}

describe.each(SIZES)("the network of the %s size", (size, config) => {
  it("has an edge for every client of every Service, and lets it through", async () => {
    const resources = await recorded(config);
    const policies = networkPolicies(resources);
    const edges = edgesOf(size, POD_COMPONENTS);
    const known = clients(resources);
    expect(known.length).toBeGreaterThanOrEqual(3);
    for (const { client, server, port } of known) {
      const [from, to] = [client, server].map(({ labels }) => labels["app.kubernetes.io/name"]);
      const edge = edges.find((each) => each.from === from && each.to === to && each.ports.includes(port));
      expect(edge, `${client.name} -> ${server.name}:${String(port)}`).toBeDefined();
      expect(isAllowed(policies, client, server, port), `${client.name} -> ${server.name}`).toBe(true);
    }
  });

  it("has an edge to every port of every Service", async () => {
    const resources = await recorded(config);
    const edges = edgesOf(size, POD_COMPONENTS);
    for (const service of services(resources)) {
      for (const server of workloads(resources).filter((each) => isSelected(each, service.selector))) {
        const part = server.labels["app.kubernetes.io/name"];
        const ports = service.ports.map(({ target }) => containerPort(server, target));
        // The governing Service of a shard only names its pod; of the sharded size nobody asks it.
        if (service.name === server.name && part === "prometheus") continue;
        for (const port of ports) {
          const edge = edges.find((each) => each.to === part && each.ports.includes(port ?? -1));
          expect(edge, `${service.name} -> ${server.name}:${String(port)}`).toBeDefined();
        }
      }
    }
  });

  it("names only container ports that exist", async () => {
    const all = workloads(await recorded(config));
    for (const { to, ports } of edgesOf(size, POD_COMPONENTS)) {
      for (const server of all.filter(({ labels }) => labels["app.kubernetes.io/name"] === to)) {
        const open = server.containers.flatMap(({ value }) => JSON.stringify(value));
        for (const port of ports) expect(open.join(), server.name).toContain(`"containerPort":${String(port)}`);
      }
    }
  });

  it("makes only the policies: nothing of it when switched off", async () => {
    const off = await recorded({ ...config, networkPolicies: { enabled: false } });
    expect(networkPolicies(off)).toStrictEqual([]);
    const on = await recorded(config);
    expect(on.filter(({ type }) => !type.includes("NetworkPolic")).map(({ urn }) => urn)).toStrictEqual(
      off.map(({ urn }) => urn),
    );
  });
});

describe("connections that are no edge", () => {
  it.each([
    ["querier", "hub-shard-0-a", 9091],
    ["prometheus-shard-1-a", "hub-shard-0-a", 9091],
    ["prometheus-shard-0-b", "hub-shard-0-a", 9091],
    ["prometheus-shard-0-a", "hub-shard-0-b", 9091],
    ["exporter", "prometheus-shard-0-a", 9090],
    ["exporter", "prometheus-shard-0-a", 10901],
    ["hub-shard-0-a", "exporter", 8080],
    ["prometheus-shard-0-a", "prometheus-shard-1-a", 9090],
    ["querier", "prometheus-shard-0-a", 9090],
    ["querier", "prometheus-shard-0-a", 10901],
    ["query-frontend", "leaf-shard-0", 10901],
    ["leaf-shard-0", "hub-shard-0-a", 9091],
    ["alertmanager", "hub-shard-0-a", 9091],
  ])("%s does not reach %s:%d", async (from, to, port) => {
    const resources = await recorded({ createThanos: true, serversCount: 2 });
    expect(isAllowed(networkPolicies(resources), found(resources, from), found(resources, to), port)).toBe(false);
  });

  it("a stranger in the namespace reaches only what is open to the cluster", async () => {
    const resources = await recorded({ createThanos: true, serversCount: 2 });
    const policies = networkPolicies(resources);
    const stranger = { labels: { app: "stranger" } };
    const reaches = (name: string, port: number) => isLetIn(policies, stranger, found(resources, name), port);
    expect(reaches("exporter", 9091)).toBe(true);
    expect(reaches("query-frontend", 10902)).toBe(true);
    expect(reaches("querier", 10902)).toBe(false);
    expect(reaches("leaf-shard-0", 10901)).toBe(false);
    expect(reaches("querier", 10901)).toBe(false);
    expect(reaches("hub-shard-0-a", 9091)).toBe(false);
    expect(reaches("alertmanager", 9093)).toBe(false);
  });
});

describe("networkPolicies.allowFrom", () => {
  it("narrows who may push", async () => {
    const resources = await recorded({
      networkPolicies: { allowFrom: { push: [{ namespaces: { team: "magma" }, pods: { app: "controller" } }] } },
    });
    const spec = resources.find(({ name }) => name === "exporter-from-outside")?.props["spec"];
    expect(spec).toMatchObject({
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { team: "magma" } },
              podSelector: { matchLabels: { app: "controller" } },
            },
          ],
        },
      ],
    });
  });

  it("opens Alertmanager to addresses, and closes the rest with an empty list", async () => {
    const resources = await recorded({
      networkPolicies: { allowFrom: { query: [], alertmanager: [{ cidr: "192.0.2.0/24" }] } },
    });
    const names = networkPolicies(resources).map(({ name }) => name);
    expect(names).toContain("alertmanager-from-outside");
    expect(names).not.toContain("prometheus-from-outside");
  });

  it("denies only its own pods in a namespace that it shares", async () => {
    const resources = await recorded({ namespace: { name: "shared", create: false } });
    const spec = resources.find(({ name }) => name === "default-deny")?.props["spec"];
    expect(spec).toMatchObject({ podSelector: { matchLabels: { "app.kubernetes.io/part-of": "scaled-prometheus" } } });
  });

  it.each([
    [{ push: [{}] }, "networkPolicies.allowFrom.push[0]"],
    [{ query: [{ pods: {}, cidr: "10.0.0.0/8" }] }, "networkPolicies.allowFrom.query[0]"],
    [{ query: [{ cidr: "10.0.0.0/33" }] }, "networkPolicies.allowFrom.query[0].cidr"],
    [{ query: [{ cidr: "example.org/8" }] }, "networkPolicies.allowFrom.query[0].cidr"],
  ])("refuses %j", (allowFrom, path) => {
    const parse = () => parseConfig({ networkPolicies: { allowFrom } });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(path);
  });
});
