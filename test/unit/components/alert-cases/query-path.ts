import type { AlertCase } from "./alert-case";

const up = (instance: string) => `up{job="querier",instance="${instance}"}`;
const known = (instance: string, shard: string) =>
  `thanos_store_nodes_grpc_connections{job="querier",instance="${instance}",store_type="query",external_labels="${shard}"}`;
const knownBy = (instance: string, shards: readonly string[]) =>
  Object.fromEntries(shards.map((shard) => [known(instance, shard), "1x10"]));
const queries = (via: string) => `adapter_queries_total{job="adapter",instance="leaf",shard="1",via="${via}"}`;
const refused = 'gate_refused_total{job="root-gate",instance="q1"}';

/** From a question to the shards' answers. */
export const QUERY_PATH_CASES: readonly AlertCase[] = [
  {
    alert: "EndpointsMissing",
    when: "one Querier lacks a leaf, another knows none, a third those of both shards and of the Rulers",
    series: {
      ...knownBy("q1", ["0", "1"]),
      ...knownBy("q3", ["0", "1", "ruler"]),
      [up("q1")]: "1x10",
      [up("q2")]: "1x10",
      [up("q3")]: "1x10",
    },
    minute: 8,
    fires: [{ instance: "q1" }, { instance: "q2" }],
    part: "querier",
  },
  {
    alert: "EndpointsMissing",
    when: "every Querier knows every leaf",
    series: { ...knownBy("q1", ["0", "1", "ruler"]), [up("q1")]: "1x10" },
    minute: 8,
    fires: [],
  },
  {
    alert: "ShardUnanswered",
    when: "a shard has left queries without an answer for 5 minutes",
    series: { [queries("nobody")]: "0x3 0+6x10", [queries("prometheus")]: "0+60x13" },
    minute: 8,
    fires: [{ shard: "1" }],
    part: "shard",
  },
  {
    alert: "ShardUnanswered",
    when: "all queries are answered, some by the leaf",
    series: { [queries("nobody")]: "4x13", [queries("leaf")]: "0+60x13" },
    minute: 8,
    fires: [],
  },
  {
    alert: "RootRefusesQueries",
    when: "a root has been refused for 8 minutes",
    series: { [refused]: "0+20x12" },
    minute: 9,
    fires: [{ instance: "q1" }],
    part: "querier",
  },
  {
    alert: "RootRefusesQueries",
    when: "a root was refused while it started",
    series: { [refused]: "0+20x1 20x12" },
    minute: 9,
    fires: [],
  },
];
