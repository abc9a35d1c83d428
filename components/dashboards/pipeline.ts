import type { Dashboard } from "./dashboard";

/** What the dashboards have to know of the stack. */
export interface DashboardScope {
  /** Whether there are sidecars and Queriers. */
  readonly isSharded: boolean;
  /** Whether there is a query frontend. */
  readonly hasFrontend: boolean;
  /** Label whose value decides the shard of a series. */
  readonly shardLabel: string;
}

/** From the push to the shards' disks. */
export function pipelineDashboard(): Dashboard {
  return {
    name: "pipeline",
    title: "Scaled Prometheus / Pipeline",
    description: "From the push to the shards' disks.",
    source: "monitoring",
    refresh: "30s",
    rows: [
      {
        title: "Pushes",
        panels: [
          {
            title: "Pushes by answer",
            description: "400: bodies or samples refused. 413: too large. 503: no shard took some of the samples.",
            kind: "graph",
            unit: "reqps",
            queries: [{ expr: "sum by (code) (rate(exporter_pushes_total[5m]))", legend: "{{code}}" }],
          },
          {
            title: "Samples",
            description: "Acknowledged, refused one by one, and placed nowhere.",
            kind: "graph",
            unit: "cps",
            queries: [
              { expr: "sum(rate(exporter_samples_accepted_total[5m]))", legend: "accepted" },
              { expr: "sum by (reason) (rate(exporter_samples_rejected_total[5m]))", legend: "refused: {{reason}}" },
              { expr: "sum(rate(exporter_samples_unplaced_total[5m]))", legend: "not placed" },
            ],
          },
          {
            title: "Time of a push",
            description: "From its first byte to its answer: the hubs' answers included.",
            kind: "graph",
            unit: "s",
            queries: [0.5, 0.99].map((quantile) => ({
              expr: `histogram_quantile(${String(quantile)}, sum by (le) (rate(exporter_push_duration_seconds_bucket[5m])))`,
              legend: `${String(quantile * 100)} %`,
            })),
          },
          {
            title: "Bytes of pushes",
            description: "After gunzip.",
            kind: "graph",
            unit: "Bps",
            queries: [{ expr: "sum by (instance) (rate(exporter_received_bytes_total[5m]))", legend: "{{instance}}" }],
          },
        ],
      },
      {
        title: "Hubs",
        panels: [
          {
            title: "Samples to each hub",
            description: "How evenly the ring spreads the load.",
            kind: "graph",
            unit: "cps",
            queries: [
              {
                expr: "sum by (shard, replica) (rate(exporter_hub_samples_total[5m]))",
                legend: "shard {{shard}} {{replica}}",
              },
            ],
          },
          {
            title: "Fill of each hub",
            description: "Highest of 5 minutes. A full hub refuses pushes, which go to other shards.",
            kind: "graph",
            unit: "percentunit",
            queries: [
              {
                expr: 'max_over_time(hub_size{job="hub"}[5m]) / hub_limit{job="hub"}',
                legend: "shard {{shard}} {{replica}}",
              },
            ],
          },
          {
            title: "Failures and failovers",
            description: "Samples that went to another shard, or that one replica of their shard missed.",
            kind: "graph",
            unit: "cps",
            queries: [
              { expr: "sum by (shard) (rate(exporter_failover_samples_total[5m]))", legend: "from shard {{shard}}" },
              {
                expr: "sum by (shard, replica) (rate(exporter_missed_replica_samples_total[5m]))",
                legend: "missed by shard {{shard}} {{replica}}",
              },
            ],
          },
          {
            title: "Time of a push to a hub",
            description: "99 % are faster.",
            kind: "graph",
            unit: "s",
            queries: [
              {
                expr:
                  "histogram_quantile(0.99, sum by (le, shard, replica) " +
                  "(rate(exporter_hub_push_duration_seconds_bucket[5m])))",
                legend: "shard {{shard}} {{replica}}",
              },
            ],
          },
        ],
      },
      {
        title: "Shards",
        panels: [
          {
            title: "Active series",
            description: "Of each shard's Prometheus; compare it with expectedSeriesPerShard.",
            kind: "graph",
            unit: "short",
            queries: [{ expr: 'prometheus_tsdb_head_series{job="prometheus"}', legend: "shard {{shard}} {{replica}}" }],
          },
          {
            title: "Samples stored",
            description: "Less than what goes to the hub means loss.",
            kind: "graph",
            unit: "cps",
            queries: [
              {
                expr:
                  "sum by (shard, replica) " +
                  '(rate(prometheus_tsdb_head_samples_appended_total{job="prometheus"}[5m]))',
                legend: "shard {{shard}} {{replica}}",
              },
            ],
          },
          {
            title: "Disk",
            description: "Blocks, WAL and head chunks.",
            kind: "graph",
            unit: "bytes",
            queries: [
              {
                expr:
                  'prometheus_tsdb_storage_blocks_bytes{job="prometheus"} + ' +
                  'prometheus_tsdb_wal_storage_size_bytes{job="prometheus"} + ' +
                  'prometheus_tsdb_head_chunks_storage_size_bytes{job="prometheus"}',
                legend: "shard {{shard}} {{replica}}",
              },
            ],
          },
          {
            title: "Memory",
            description: "Resident, of every part.",
            kind: "graph",
            unit: "bytes",
            queries: [{ expr: "process_resident_memory_bytes", legend: "{{job}} {{instance}}" }],
          },
        ],
      },
      {
        title: "Parts",
        panels: [
          {
            title: "Parts that answer",
            description: "1: answers. 0: does not.",
            kind: "table",
            unit: "short",
            queries: [{ expr: "sort(min by (job, instance) (up))", legend: "{{job}} {{instance}}" }],
          },
          {
            title: "Alerts",
            description: "Pending and firing, by name.",
            kind: "table",
            unit: "short",
            // 0 where there is none, so that an empty panel is never a good sign by mistake.
            queries: [
              {
                expr: "count by (alertname, alertstate) (ALERTS) or vector(0)",
                legend: "{{alertname}} {{alertstate}}",
              },
            ],
          },
        ],
      },
    ],
  };
}
