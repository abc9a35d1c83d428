import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../stacks/config";
import { buildTopology, type Topology } from "../../../stacks/topology";
import { S3 } from "./object-storage-kit";
import { SERVICES } from "./services";

function topologyOf(raw: Record<string, unknown>): Topology {
  return buildTopology(parseConfig(raw), SERVICES);
}

describe("the query path", () => {
  const SAME = ["query.lookback-delta", "query.default-evaluation-interval", "query.timeout", "query.max-concurrent"];

  test("roots, leaves and the shards' Prometheus have the same values", () => {
    const query = {
      lookbackDelta: "4m",
      evaluationInterval: "30s",
      timeout: "90s",
      maxConcurrent: 7,
      maxSamples: 5000,
    };
    const topology = topologyOf({ createThanos: true, query });
    const leaf = topology.shards[0]?.leaf;
    for (const flags of [topology.querier?.flags, leaf?.flags, topology.rulerLeaf?.flags]) {
      expect(SAME.map((name) => flags?.[name])).toStrictEqual(["4m", "30s", "90s", 7]);
      expect(flags?.["query.partial-response"]).toBe(false);
      expect(flags?.["deduplication.func"]).toBe("chain");
    }
    expect(leaf?.adapter).toMatchObject({ lookbackSeconds: 240, timeoutSeconds: 90, maxSamples: 5000 });
    expect(topology.shards[0]?.replicas[0]?.prometheus.flags).toMatchObject({
      "query.lookback-delta": "4m",
      "query.timeout": "90s",
    });
  });

  test("a leaf has both sidecars of its shard behind it, and the Store Gateway strictly", () => {
    const leaves = (raw: Record<string, unknown>) => {
      const { shards, rulerLeaf } = topologyOf({ createThanos: true, ...raw });
      return [...shards.map(({ leaf }) => leaf), rulerLeaf].map(
        (leaf) => leaf?.endpoints as { endpoints: readonly { address: string; strict?: boolean }[] },
      );
    };
    const at = (name: string) => `${name}.scaled-prometheus.svc:10901`;
    const sidecars = ["a", "b"].map((replica) => ({ address: at(`sidecar-shard-0-${replica}`) }));
    const ruler = { address: `dns+${at("ruler")}` };
    expect(leaves({}).map(({ endpoints }) => endpoints)).toStrictEqual([sidecars, [ruler]]);
    const long = { objectStorage: S3, retention: { sharded: "30d" }, retiredShards: [{ shard: 3, local: false }] };
    const store = (name: string) => ({ address: at(name), strict: true });
    expect(leaves(long).map(({ endpoints }) => endpoints)).toStrictEqual([
      [...sidecars, store("store-shard-0")],
      [store("store-shard-3")],
      [ruler, store("store-ruler")],
    ]);
  });

  test("no flag is deprecated in Thanos 0.42", () => {
    const topology = topologyOf({ createThanos: true });
    const all = [topology.querier?.flags, topology.shards[0]?.leaf?.flags, topology.queryFrontend?.flags];
    for (const name of all.flatMap((flags) => Object.keys(flags ?? {}))) {
      expect(name).not.toMatch(/^(endpoint(-group)?(-strict)?|store\.sd-.*|grpc-(client|compression).*)$/);
    }
  });

  test("the frontend caches nothing that may still change, and can be left out", () => {
    const { queryFrontend, answeredBy, components } = topologyOf({ createThanos: true, outOfOrderWindow: "2h" });
    expect(queryFrontend?.flags).toMatchObject({
      "labels.partial-response": false,
      "labels.response-cache-max-freshness": "7200s",
      "query-frontend.downstream-url": "http://querier.scaled-prometheus.svc:10902",
      "query-range.align-range-with-step": true,
      "query-range.partial-response": false,
      "query-range.response-cache-max-freshness": "7200s",
    });
    expect(answeredBy).toStrictEqual({ component: "query-frontend" });
    expect(components).toContain("query-frontend");
    const without = topologyOf({ createThanos: true, query: { frontend: { enabled: false } } });
    expect(without.queryFrontend).toBeUndefined();
    expect(without.answeredBy).toStrictEqual({ component: "querier" });
    expect(without.components).not.toContain("query-frontend");
    expect(topologyOf({}).queryFrontend).toBeUndefined();
  });
});
