import type { Dashboard, Row } from "./dashboard";
import type { DashboardScope } from "./pipeline";

/** Without the brace at its end. */
const SERIES_REQUESTS = 'grpc_server_handled_total{job="sidecar",grpc_method="Series"';

/** From a question to the shards' answers. */
export function queryPathDashboard(scope: DashboardScope): Dashboard {
  return {
    name: "query-path",
    title: "Scaled Prometheus / Query path",
    description: "From a question to the shards' answers.",
    source: "monitoring",
    refresh: "30s",
    rows: [
      ...(scope.isSharded ? [...(scope.hasFrontend ? [frontend()] : []), queriers(), leaves(), sidecars()] : []),
      prometheus(),
      gates(),
    ],
  };
}

function queriers(): Row {
  return {
    title: "Queriers",
    panels: [
      {
        title: "Queries by answer",
        description: "5xx and 422: a shard did not answer, or the query was too large.",
        kind: "graph",
        unit: "reqps",
        queries: [
          {
            expr: 'sum by (code) (rate(http_requests_total{job="querier",handler=~"query|query_range"}[5m]))',
            legend: "{{code}}",
          },
        ],
      },
      {
        title: "Time of a query",
        description: "At the Querier, the shards' time included.",
        kind: "graph",
        unit: "s",
        queries: [0.5, 0.99].map((quantile) => ({
          expr:
            `histogram_quantile(${String(quantile)}, sum by (le) ` +
            '(rate(http_request_duration_seconds_bucket{job="querier",handler=~"query|query_range"}[5m])))',
          legend: `${String(quantile * 100)} %`,
        })),
      },
      {
        title: "Known leaves",
        description:
          "Of each Querier; one per shard and that of the Rulers. The gate refuses queries while one is missing.",
        kind: "graph",
        unit: "short",
        queries: [
          {
            expr: 'sum by (instance) (thanos_store_nodes_grpc_connections{job="querier",store_type="query"})',
            legend: "{{instance}}",
          },
        ],
      },
      {
        title: "Queries under way",
        description: "Beyond query.maxConcurrent they wait.",
        kind: "graph",
        unit: "short",
        queries: [
          {
            expr: 'sum by (instance) (thanos_query_concurrent_gate_queries_in_flight{job="querier"})',
            legend: "{{instance}}",
          },
        ],
      },
    ],
  };
}

function frontend(): Row {
  return {
    title: "Query frontend",
    panels: [
      {
        title: "Queries by answer",
        description: "What clients get, retries included.",
        kind: "graph",
        unit: "reqps",
        queries: [
          {
            expr: 'sum by (code) (rate(http_requests_total{job="query-frontend"}[5m]))',
            legend: "{{code}}",
          },
        ],
      },
      {
        title: "Cache",
        description: "Lookups, and those that found something.",
        kind: "graph",
        unit: "reqps",
        queries: [
          { expr: 'sum(rate(cortex_cache_fetched_keys_total{job="query-frontend"}[5m]))', legend: "lookups" },
          { expr: 'sum(rate(cortex_cache_hits_total{job="query-frontend"}[5m]))', legend: "hits" },
        ],
      },
    ],
  };
}

function leaves(): Row {
  return {
    title: "Leaves",
    panels: [
      {
        title: "Who answers",
        description: "prometheus: the shard's own; leaf: over sidecars and Store Gateway; nobody: an error.",
        kind: "graph",
        unit: "reqps",
        queries: [
          {
            expr: 'sum by (shard, via) (rate(adapter_queries_total{job="adapter"}[5m]))',
            legend: "shard {{shard}} {{via}}",
          },
        ],
      },
      {
        title: "Why the leaf",
        description: "Queries that no Prometheus of the shard may answer alone.",
        kind: "graph",
        unit: "reqps",
        queries: [
          { expr: 'sum by (reason) (rate(adapter_leaf_queries_total{job="adapter"}[5m]))', legend: "{{reason}}" },
        ],
      },
      {
        title: "Time of a shard's answer, 99 %",
        description: "At the adapter. The slowest shard decides how long a query takes.",
        kind: "graph",
        unit: "s",
        queries: [
          {
            expr:
              "histogram_quantile(0.99, sum by (le, shard) " +
              '(rate(adapter_query_duration_seconds_bucket{job="adapter"}[5m])))',
            legend: "shard {{shard}}",
          },
        ],
      },
      {
        title: "Gaps",
        description: "Stretches of time in which a replica misses writes that the other has: it is not asked for them.",
        kind: "graph",
        unit: "short",
        queries: [
          {
            expr: 'max by (shard, replica) (adapter_replica_gaps{job="adapter"})',
            legend: "shard {{shard}} {{replica}}",
          },
        ],
      },
      {
        title: "Refused by the roots' gates",
        description: "While a root has not seen every leaf; probes included.",
        kind: "graph",
        unit: "reqps",
        queries: [
          { expr: 'sum by (instance) (rate(gate_refused_total{job="root-gate"}[5m]))', legend: "{{instance}}" },
        ],
      },
    ],
  };
}

function sidecars(): Row {
  return {
    title: "Sidecars",
    panels: [
      {
        title: "Series requests",
        description: "Of the leaves, for what no Prometheus answers alone.",
        kind: "graph",
        unit: "reqps",
        queries: [
          { expr: `sum by (shard) (rate(${SERIES_REQUESTS}}[5m]))`, legend: "shard {{shard}}" },
          { expr: `sum by (shard) (rate(${SERIES_REQUESTS},grpc_code!="OK"}[5m]))`, legend: "shard {{shard}} failed" },
        ],
      },
      {
        title: "Sees its Prometheus",
        description: "0: this shard can't be queried.",
        kind: "graph",
        unit: "short",
        queries: [{ expr: 'thanos_sidecar_prometheus_up{job="sidecar"}', legend: "shard {{shard}} {{replica}}" }],
      },
      {
        title: "Remote reads under way",
        description: "What the sidecars ask their Prometheus for.",
        kind: "graph",
        unit: "short",
        queries: [
          { expr: 'prometheus_remote_read_handler_queries{job="prometheus"}', legend: "shard {{shard}} {{replica}}" },
        ],
      },
    ],
  };
}

function prometheus(): Row {
  return {
    title: "Prometheus of each shard",
    panels: [
      {
        title: "Queries under way",
        description: "Its own engine: rules, and in the single size all queries.",
        kind: "graph",
        unit: "short",
        queries: [{ expr: 'prometheus_engine_queries{job="prometheus"}', legend: "shard {{shard}} {{replica}}" }],
      },
    ],
  };
}

function gates(): Row {
  return {
    title: "Gates",
    panels: [
      {
        title: "Requests by route",
        description: "Scrapes and probes included.",
        kind: "graph",
        unit: "reqps",
        queries: [{ expr: 'sum by (route) (rate(gate_requests_total{job="gate"}[5m]))', legend: "{{route}}" }],
      },
      {
        title: "Refused, and not answered",
        description: "Requests that are not on the gate's list, and those that Prometheus did not answer.",
        kind: "graph",
        unit: "reqps",
        queries: [
          { expr: 'sum by (shard) (rate(gate_refused_total{job="gate"}[5m]))', legend: "shard {{shard}} refused" },
          {
            expr: 'sum by (shard) (rate(gate_upstream_failures_total{job="gate"}[5m]))',
            legend: "shard {{shard}} not answered",
          },
        ],
      },
    ],
  };
}
