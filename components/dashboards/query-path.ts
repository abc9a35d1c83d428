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
    rows: [...(scope.isSharded ? [queriers(), sidecars()] : []), prometheus(), gates()],
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
        title: "Known shard replicas",
        description: "Of each Querier; fewer than are deployed means that its answers are errors.",
        kind: "graph",
        unit: "short",
        queries: [
          {
            expr: 'sum by (instance) (thanos_store_nodes_grpc_connections{job="querier",store_type="sidecar"})',
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

function sidecars(): Row {
  return {
    title: "Sidecars",
    panels: [
      {
        title: "Series requests",
        description: "Every query asks the sidecar of every shard.",
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
