import { dump } from "js-yaml";
import { describe, expect, test } from "vitest";
import { run, runAgain, type Recorded, type Run } from "./recorder";

const SHARDED = { createThanos: true };

type Json = Readonly<Record<string, unknown>>;

function kindOf(resource: Recorded): string {
  return resource.type.split(":").at(-1) ?? "";
}

function names(recorded: Run, kind: string): string[] {
  return recorded.resources.filter((each) => kindOf(each) === kind).map(({ name }) => name);
}

/** Resources by kind and name. */
function byId(recorded: Run): ReadonlyMap<string, Recorded> {
  return new Map(recorded.resources.map((each) => [`${each.type} ${each.name}`, each]));
}

describe("steps", () => {
  /** Objects that differ between two programs, and those of the first that the second lacks. */
  function difference(before: Run, after: Run): { changed: string[]; gone: string[] } {
    const [old, now] = [byId(before), byId(after)];
    const kubernetes = [...old].filter(([, each]) => each.type.startsWith("kubernetes:"));
    const text = (each: Recorded | undefined) =>
      dump({ ...each?.inputs, protect: each?.protect, parent: each?.parent });
    return {
      changed: kubernetes
        .filter(([id, each]) => now.has(id) && text(each) !== text(now.get(id)))
        .map(([, { name }]) => name),
      gone: kubernetes.filter(([id]) => !now.has(id)).map(([, { name }]) => name),
    };
  }

  test("2 -> 3 shards touches only what names the shards", async () => {
    const [two, three] = [await run({ ...SHARDED, serversCount: 2 }), await run({ ...SHARDED, serversCount: 3 })];
    expect(difference(two, three)).toStrictEqual({
      changed: [
        "querier-endpoints",
        "querier",
        "placement-config",
        "placement",
        "exporter-config",
        "exporter",
        "monitoring",
      ],
      gone: [],
    });
  });

  test("retiring shard 2 takes its hub away, and frees its StatefulSet for deletion", async () => {
    const three = await run({ ...SHARDED, serversCount: 3 });
    const retired = await run({ ...SHARDED, serversCount: 2, retiredShards: [2] });
    expect(difference(three, retired)).toStrictEqual({
      changed: [
        "prometheus-shard-2-a",
        "prometheus-shard-2-b",
        "placement-config",
        "placement",
        "exporter-config",
        "exporter",
        "monitoring",
      ],
      gone: [
        ...["a", "b"].flatMap((letter) => [
          `hub-shard-2-${letter}-scrape`,
          `hub-shard-2-${letter}`,
          `hub-shard-2-${letter}`,
        ]),
        "hub-shard-2",
      ],
    });
    const set = byId(retired).get("kubernetes:apps/v1:StatefulSet prometheus-shard-2-a");
    expect(set?.inputs).toStrictEqual(byId(three).get("kubernetes:apps/v1:StatefulSet prometheus-shard-2-a")?.inputs);
  });

  test("highAvailability adds replica b, and touches nothing of a", async () => {
    const alone = await run({ ...SHARDED, serversCount: 2, highAvailability: false });
    const pairs = await run({ ...SHARDED, serversCount: 2, availability: "zone" });
    const leaf = (name: string, config: readonly string[]) => [...config, `leaf-${name}`];
    expect(difference(alone, pairs)).toStrictEqual({
      changed: [
        ...[0, 1].flatMap((shard) => leaf(`shard-${String(shard)}`, [`leaf-shard-${String(shard)}-config`])),
        ...leaf("ruler", []),
        "query-frontend",
        "exporter-config",
        "exporter",
        "monitoring",
      ],
      gone: [],
    });
    const added = names(pairs, "StatefulSet").filter((name) => !names(alone, "StatefulSet").includes(name));
    expect(added).toStrictEqual(["prometheus-shard-0-b", "prometheus-shard-1-b"]);
  });

  test("single -> sharded keeps every name, selector, claim and Service of the shard", async () => {
    const [single, sharded] = [await run({}), await run(SHARDED)];
    const { changed, gone } = difference(single, sharded);
    // Only connections: Prometheus is no longer asked from outside, and no longer alerts.
    expect(gone).toStrictEqual([
      "prometheus-from-outside",
      "alertmanager-from-prometheus",
      "prometheus-to-alertmanager",
    ]);
    // The query Service gets another selector; Prometheus gets a sidecar and leaves alerting to others; there is more to
    // watch, and a second hub to push to.
    expect(changed).toStrictEqual([
      "prometheus-from-monitoring",
      "monitoring-to-prometheus",
      "prometheus-shard-0-a",
      "prometheus-shard-0-a",
      "query",
      "exporter-config",
      "exporter",
      "monitoring",
      "dashboard-query-path",
    ]);
    const frozen = (each: Run) => {
      const set = byId(each).get("kubernetes:apps/v1:StatefulSet prometheus-shard-0-a")?.inputs["spec"] as Json;
      return [set["selector"], set["serviceName"], set["volumeClaimTemplates"], set["podManagementPolicy"]];
    };
    expect(frozen(sharded)).toStrictEqual(frozen(single));
  });

  test("another cluster label changes the claim template, which replaces the protected StatefulSet", async () => {
    const template = async (clusterLabel: string) => {
      const set = byId(await run({ clusterLabel })).get("kubernetes:apps/v1:StatefulSet prometheus-shard-0-a");
      return (set?.inputs["spec"] as Json)["volumeClaimTemplates"];
    };
    expect(await template("main")).not.toStrictEqual(await template("other"));
  });

  test("another resource estimate, label or image changes no selector and no claim", async () => {
    const frozen = (recorded: Run) =>
      recorded.resources
        .filter((each) => ["StatefulSet", "Deployment"].includes(kindOf(each)))
        .map((each) => {
          const spec = each.inputs["spec"] as Json;
          return [each.name, spec["selector"], spec["serviceName"], spec["volumeClaimTemplates"]];
        });
    const changed = await run({
      ...SHARDED,
      expectedSeriesPerShard: 1_000_000,
      labels: { team: "x" },
      images: { thanos: "mirror.example/thanos:v0.42.5" },
    });
    expect(frozen(changed)).toStrictEqual(frozen(await run(SHARDED)));
  });

  test("deletionProtection: false protects nothing", async () => {
    const { resources } = await run({ deletionProtection: false });
    expect(resources.filter((each) => each.protect)).toStrictEqual([]);
  });

  test("namespace.create: false makes no namespace", async () => {
    const recorded = await run({ namespace: { name: "metrics", create: false } });
    expect(names(recorded, "Namespace")).toStrictEqual(["namespace"]);
    expect(recorded.outputs.queryUrl).toBe("http://query.metrics.svc:9090");
  });

  test("a second build and a preview are the same, byte by byte", async () => {
    const text = (recorded: Run) => JSON.stringify(recorded);
    const first = await run({ ...SHARDED, serversCount: 3 });
    expect(text(await runAgain({ ...SHARDED, serversCount: 3 }))).toBe(text(first));
    expect(text(await runAgain({ ...SHARDED, serversCount: 3 }, true))).toBe(text(first));
  });
});

describe("order", () => {
  test("a shard gets series only when every answer includes it: shards and Rulers with their leaves, then Queriers, then the table and exporters", async () => {
    const { resources } = await run({ ...SHARDED, serversCount: 2 });
    const dependencies = (name: string) =>
      resources.find((each) => each.name === name && each.type.startsWith("scaled-prometheus:"))?.dependsOn;
    const first = ["namespace", "services", "network"];
    expect(dependencies("querier")).toStrictEqual([...first, "querier-pods", "shard-0", "shard-1", "leaf-ruler"]);
    // By this Service they ask: also when the Queriers are those of an earlier version.
    expect(dependencies("ruler")).toStrictEqual([...first, "querier-pods"]);
    expect(dependencies("querier-pods")).toStrictEqual(first);
    expect(dependencies("leaf-ruler")).toStrictEqual([...first, "ruler"]);
    expect(dependencies("leaf-shard-1")).toStrictEqual(["shard-1-b"]);
    expect(dependencies("query-frontend")).toStrictEqual([...first, "querier"]);
    expect(dependencies("placement")).toStrictEqual([...first, "querier"]);
    expect(dependencies("exporter")).toStrictEqual([...first, "querier"]);
    expect(dependencies("query")).toStrictEqual([...first, "querier", "query-frontend"]);
    expect(dependencies("shard-1")).toStrictEqual(["namespace", "services", "network"]);
  });

  test("a hub is deleted before the Service by which its Prometheus finds it", async () => {
    const { resources } = await run({});
    const deployment = resources.find((each) => each.name === "hub-shard-0-a" && kindOf(each) === "Deployment");
    expect(deployment?.dependsOn).toStrictEqual(["hub-shard-0-a-scrape"]);
  });

  test("replica b is updated when all of a is done", async () => {
    const { resources } = await run({ ...SHARDED, serversCount: 2 });
    const pair = (name: string) => resources.find((each) => each.name === name && kindOf(each) === "ShardPair");
    expect(pair("shard-1-a")?.dependsOn).toStrictEqual([]);
    expect(pair("shard-1-b")?.dependsOn).toStrictEqual(["shard-1-a"]);
  });

  test("in the single size the exporters wait for the one shard", async () => {
    const { resources } = await run({});
    const exporter = resources.find(({ type }) => type === "scaled-prometheus:index:Exporter");
    expect(exporter?.dependsOn).toStrictEqual(["namespace", "services", "network", "shard-0"]);
  });
});
