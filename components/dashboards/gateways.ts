import type { Dashboard } from "./dashboard";
import type { DashboardScope } from "./pipeline";

/**
 * Who pushes, and what. Panels that look at every series show the present only, and the dashboard asks rarely: over time
 * such an expression reads everything that is stored.
 */
export function gatewaysDashboard(scope: DashboardScope): Dashboard {
  const label = scope.shardLabel;
  const all = `{__name__=~".+",${label}!=""}`;
  const byGateway = (offset = "") => `count by (${label}) (${all}${offset})`;
  return {
    name: "gateways",
    title: "Scaled Prometheus / Gateways",
    description: `Who pushes, by the label ${label}.`,
    source: "query",
    refresh: "5m",
    rows: [
      {
        title: "Now",
        panels: [
          {
            title: "Gateways",
            description: "With a sample within the lookback.",
            kind: "number",
            unit: "short",
            queries: [{ expr: `count(${byGateway()})`, legend: "gateways" }],
          },
          {
            title: "Series",
            description: "Of gateways.",
            kind: "number",
            unit: "short",
            queries: [{ expr: `count(${all})`, legend: "series" }],
          },
          {
            title: "Series without a gateway",
            description: "All of them are on the home shard. The pipeline's own are among them.",
            kind: "number",
            unit: "short",
            queries: [{ expr: `count({__name__=~".+",${label}=""})`, legend: "series" }],
          },
          {
            title: "Silent gateways",
            description: "Had samples an hour ago, and have none within the lookback.",
            kind: "number",
            unit: "short",
            queries: [
              { expr: `count(${byGateway(" offset 1h")} unless ${byGateway()}) or vector(0)`, legend: "gateways" },
            ],
          },
          {
            title: "Series by shard",
            description: "How evenly the gateways' series are spread.",
            kind: "table",
            unit: "short",
            queries: [{ expr: `sort_desc(count by (shard) (${all}))`, legend: "shard {{shard}}" }],
          },
          {
            title: "Gateways by shard",
            description: "A gateway on two shards has moved within the lookback.",
            kind: "table",
            unit: "short",
            queries: [
              { expr: `sort_desc(count by (shard) (count by (shard, ${label}) (${all})))`, legend: "shard {{shard}}" },
            ],
          },
          {
            title: "Largest gateways",
            description: "By number of series.",
            kind: "table",
            unit: "short",
            queries: [{ expr: `topk(20, ${byGateway()})`, legend: `{{${label}}}` }],
          },
          {
            title: "Smallest gateways",
            description: "A gateway with fewer series than others of its kind may send a part only.",
            kind: "table",
            unit: "short",
            queries: [{ expr: `bottomk(20, ${byGateway()})`, legend: `{{${label}}}` }],
          },
        ],
      },
      {
        title: "Over time",
        panels: [
          {
            title: "Active series by shard",
            description: "All series of the shard's Prometheus.",
            kind: "graph",
            unit: "short",
            queries: [
              { expr: 'sum by (shard) (prometheus_tsdb_head_series{job="prometheus"})', legend: "shard {{shard}}" },
            ],
          },
          {
            title: "Samples by shard",
            description: "Stored per second.",
            kind: "graph",
            unit: "cps",
            queries: [
              {
                expr: 'sum by (shard) (rate(prometheus_tsdb_head_samples_appended_total{job="prometheus"}[5m]))',
                legend: "shard {{shard}}",
              },
            ],
          },
        ],
      },
    ],
  };
}
