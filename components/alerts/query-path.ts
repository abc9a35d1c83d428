import type { Alert, AlertScope } from "./alert";

/** From a question to the shards' answers. Sharded sizes only. */
export function queryPathAlerts(scope: AlertScope): Alert[] {
  if (!scope.isSharded) return [];
  return [endpoints(scope.endpoints), unanswered(), refused()];
}

/**
 * A strict endpoint stays in this metric while it is down, but a root that never reached it does not know that it is a
 * leaf (thanos v0.42.4 pkg/query/endpointset.go).
 */
function endpoints(expected: number): Alert {
  const known = `sum by (instance) (thanos_store_nodes_grpc_connections{job="querier",store_type="query"})`;
  return {
    name: "EndpointsMissing",
    expr: `(${known} or 0 * sum by (instance) (up{job="querier"} == 1)) < ${String(expected)}`,
    for: "5m",
    severity: "critical",
    part: "querier",
    summary: `Querier {{ $labels.instance }} knows {{ $value }} of ${String(expected)} leaves`,
    description:
      "The gate in its pod refuses queries meanwhile, or, where its list of shards is an old one, its answers lack a shard.",
  };
}

function unanswered(): Alert {
  return {
    name: "ShardUnanswered",
    expr: 'sum by (shard) (rate(adapter_queries_total{job="adapter",via="nobody"}[2m])) > 0',
    for: "2m",
    severity: "critical",
    part: "shard",
    summary: "shard {{ $labels.shard }} leaves queries without an answer",
    description:
      "Neither a Prometheus of the shard nor its leaf could answer completely, so every answer that needs it is an error.",
  };
}

function refused(): Alert {
  return {
    name: "RootRefusesQueries",
    // Probes of the pod are refused too, so that this does not depend on anybody asking.
    expr: 'sum by (instance) (rate(gate_refused_total{job="root-gate"}[2m])) > 0',
    for: "5m",
    severity: "warning",
    part: "querier",
    summary: "the gate of Querier {{ $labels.instance }} refuses queries",
    description:
      "Since it started, this Querier has not seen every leaf of its list, and would leave shards out. The other Queriers " +
      "answer meanwhile, if they have seen all.",
  };
}
