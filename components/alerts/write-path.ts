import type { Alert, AlertScope } from "./alert";

/** Part of a hub's limit from which pushes may soon be refused. */
const FULL = 0.8;
/** Part of what a hub took that may be missing in its Prometheus: scrapes and rates don't begin and end together. */
const LOST = 0.1;
/**
 * Seconds within which what is acknowledged is stored: with the longest scrape interval, a minute, what a hub lost is sent
 * again after two and stored after three.
 */
const STORED = 240;
/** Part of all pushes. */
const FAILED = 0.01;

/** Pushes, hubs, and the ring. */
export function writePathAlerts(scope: AlertScope): Alert[] {
  const version = `version!="${scope.ringVersion}"`;
  return [
    {
      name: "PushesFailing",
      expr:
        `sum(rate(exporter_pushes_total{code=~"5.."}[5m])) / ` +
        `sum(rate(exporter_pushes_total[5m])) > ${String(FAILED)}`,
      for: "5m",
      severity: "critical",
      part: "exporter",
      summary: "{{ $value | humanizePercentage }} of the pushes are answered with 5xx",
      description: "No shard took some samples of these pushes. Clients that don't send them again lose them.",
    },
    {
      name: "PushesRefused",
      expr:
        `sum(rate(exporter_pushes_total{code=~"4.."}[15m])) / ` +
        `sum(rate(exporter_pushes_total[15m])) > ${String(FAILED)}`,
      for: "15m",
      severity: "warning",
      part: "exporter",
      summary: "{{ $value | humanizePercentage }} of the pushes are refused, or have samples that are",
      description: "Clients send malformed bodies, or samples that are too old, too far ahead or contradictory.",
    },
    {
      name: "HubUnreachable",
      expr: `min by (shard, replica) (exporter_hub_up) == 0`,
      for: "2m",
      severity: "critical",
      part: "hub",
      summary: "an exporter leaves the hub of shard {{ $labels.shard }}, replica {{ $labels.replica }}, alone",
      description: "Its pushes to this hub failed. The shard's samples go to other shards, or miss this replica.",
    },
    {
      name: "SamplesFailedOver",
      expr: `sum by (shard) (increase(exporter_failover_samples_total[10m])) > 0`,
      for: "5m",
      severity: "warning",
      part: "exporter",
      summary: "{{ $value | humanize }} samples of shard {{ $labels.shard }} went to other shards in 10 minutes",
      description: "Nothing is lost, and no series counts twice; the next shards carry more.",
    },
    {
      name: "SeriesCountedTwice",
      expr: `sum by (shard, replica) (increase(exporter_stale_markers_dropped_total[15m])) > 0`,
      for: "1m",
      severity: "warning",
      part: "exporter",
      summary:
        "{{ $value | humanize }} series that left shard {{ $labels.shard }}, replica {{ $labels.replica }}, may count twice",
      description: "Their staleness markers could not be written: the series stay visible there for one lookback.",
    },
    {
      name: "ReplicaMissesWrites",
      expr: `sum by (shard, replica) (increase(exporter_missed_replica_writes_total[10m])) > 0`,
      for: "5m",
      severity: "warning",
      part: "exporter",
      summary:
        "replica {{ $labels.replica }} of shard {{ $labels.shard }} missed {{ $value | humanize }} writes in 10 minutes",
      description: "The other replica has them. The exporters send them to this one when its hub is back.",
    },
    {
      name: "ReplicaGapsRemain",
      expr: `sum by (shard, replica) (increase(exporter_given_up_writes_total[1h])) > 0`,
      for: "1m",
      severity: "warning",
      part: "exporter",
      summary:
        "replica {{ $labels.replica }} of shard {{ $labels.shard }} will never get {{ $value | humanize }} writes that it lacks",
      description: "The exporters had no room to keep them, or they are too old. The other replica alone has them.",
    },
    {
      name: "WritesUncommitted",
      expr: `max by (shard) (exporter_oldest_uncommitted_seconds) > ${String(STORED)}`,
      for: "2m",
      severity: "critical",
      part: "exporter",
      summary: "shard {{ $labels.shard }} has not stored pushes of {{ $value | humanizeDuration }} ago",
      description: "They are in a hub and in an exporter, which refuses pushes when it has no more room to keep them.",
    },
    {
      name: "AcknowledgedSamplesLost",
      expr: `sum by (shard) (increase(exporter_lost_samples_total[1h])) > 0`,
      for: "0m",
      severity: "critical",
      part: "exporter",
      summary: "{{ $value | humanize }} acknowledged samples of shard {{ $labels.shard }} are stored nowhere",
      description: "No replica has stored them, and they are too old to be sent again, or were sent in vain.",
    },
    {
      name: "HubFilling",
      expr: `max_over_time(hub_size{job="hub"}[5m]) / hub_limit{job="hub"} > ${String(FULL)}`,
      for: "5m",
      severity: "warning",
      part: "hub",
      summary:
        "the hub of shard {{ $labels.shard }}, replica {{ $labels.replica }}, is {{ $value | humanizePercentage }} full",
      description: "A full hub refuses pushes until its Prometheus empties it; they go to other shards meanwhile.",
    },
    {
      name: "HubSamplesLost",
      expr:
        `sum by (shard, replica) (rate(prometheus_tsdb_head_samples_appended_total{job="prometheus"}[10m])) < ` +
        `${String(1 - LOST)} * sum by (shard, replica) (rate(exporter_hub_samples_total[10m]))`,
      for: "15m",
      severity: "critical",
      part: "hub",
      summary: "shard {{ $labels.shard }}, replica {{ $labels.replica }}, stores fewer samples than its hub takes",
      description: "A second scraper empties the hub, or scrapes fail after the hub has let its samples go.",
    },
    {
      name: "RingDisagreement",
      expr:
        `count(count by (version) (exporter_ring_info)) > 1 ` +
        `or count(exporter_ring_info{${version}}) > 0 ` +
        `or count(exporter_ring_shards != ${String(scope.ringShards)}) > 0`,
      for: "10m",
      severity: "critical",
      part: "exporter",
      summary: `not every exporter uses ring ${scope.ringVersion} of ${String(scope.ringShards)} shards`,
      description: "Exporters that disagree send the same series to different shards: it is counted twice.",
    },
  ];
}
