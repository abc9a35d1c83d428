import type { Alert, AlertScope } from "./alert";

/** What Prometheus has on its volume, in bytes. The volume's own numbers need a right to ask kubelets. */
const USED = ["storage_blocks_bytes", "wal_storage_size_bytes", "head_chunks_storage_size_bytes"]
  .map((name) => `prometheus_tsdb_${name}{job="prometheus"}`)
  .join(" + ");

/** Each counts failures of writing, cutting or merging what is on the volume. */
const FAILURES = [
  "prometheus_tsdb_wal_writes_failed_total",
  "prometheus_tsdb_wal_truncations_failed_total",
  "prometheus_tsdb_out_of_order_wbl_writes_failed_total",
  "prometheus_tsdb_head_truncations_failed_total",
  "prometheus_tsdb_compactions_failed_total",
  "prometheus_tsdb_reloads_failures_total",
] as const;

/** Each is 0 while the newest configuration could not be loaded. */
function reloads(scope: AlertScope): readonly string[] {
  const name = "config_last_reload_successful";
  return [`prometheus_${name}`, `alertmanager_${name}`, ...(scope.isSharded ? [`thanos_rule_${name}`] : [])];
}

/** Each counts alerts that could not be handed on. */
function undelivered(scope: AlertScope): readonly string[] {
  return [
    "prometheus_notifications_dropped_total",
    "prometheus_notifications_errors_total",
    ...(scope.isSharded ? ["thanos_alert_sender_alerts_dropped_total"] : []),
    "alertmanager_notifications_failed_total",
  ];
}

/** Blocks hold two hours; three of them may be missing before something is wrong. */
const UPLOAD_SECONDS = 3 * 7200;

/** Volumes, rules, configuration and uploads. */
export function storageAlerts(scope: AlertScope): Alert[] {
  const size = String(scope.diskBytes);
  return [
    {
      name: "DiskFilling",
      expr:
        `(${USED}) > 0.9 * ${size} or ((${USED}) > 0.6 * ${size} ` +
        `and predict_linear((${USED})[6h:5m], 86400) > ${size})`,
      for: "15m",
      severity: "critical",
      part: "prometheus",
      summary:
        "shard {{ $labels.shard }}, replica {{ $labels.replica }}, holds {{ $value | humanize1024 }}B and fills its volume",
      description: "A Prometheus without room stops taking samples, and its hub fills up behind it.",
    },
    {
      name: "PrometheusStorageFailing",
      expr: [
        ...FAILURES.map((name) => `increase(${name}[30m]) > 0`),
        // Found at a start, when there is no earlier value to increase from.
        "(prometheus_tsdb_wal_corruptions_total > 0 and time() - process_start_time_seconds < 3600)",
      ].join(" or "),
      for: "1m",
      severity: "critical",
      part: "prometheus",
      summary: "{{ $labels.instance }} fails to write, cut or compact its data",
      description: "Samples may be lost at the next restart, and the volume fills.",
    },
    {
      name: "ConfigReloadFailed",
      expr: reloads(scope)
        .map((name) => `${name} == 0`)
        .join(" or "),
      for: "5m",
      severity: "critical",
      part: "configuration",
      summary: "{{ $labels.instance }} goes on with an old configuration",
      description: "It could not load the newest one. A restart of the pod would fail.",
    },
    {
      name: "RuleEvaluationGaps",
      expr:
        `max by (job, instance, rule_group) (increase(prometheus_rule_group_iterations_missed_total[15m])) > 0 ` +
        `or max by (job, instance, rule_group) (increase(prometheus_rule_evaluation_failures_total[15m])) > 0 ` +
        `or max by (job, instance, rule_group) (time() - prometheus_rule_group_last_evaluation_timestamp_seconds ` +
        `- 3 * prometheus_rule_group_interval_seconds) > 60`,
      for: "5m",
      severity: "critical",
      part: "rules",
      summary: "rule group {{ $labels.rule_group }} of {{ $labels.instance }} is not evaluated as it should be",
      description: "Recorded series have gaps, and alerts of this group may not fire.",
    },
    {
      name: "AlertsUndelivered",
      expr: undelivered(scope)
        .map((name) => `rate(${name}[5m]) > 0`)
        .join(" or "),
      for: "10m",
      severity: "critical",
      part: "alertmanager",
      summary: "{{ $labels.instance }} can't hand on alerts",
      description: "Alerts don't reach Alertmanager, or its notifications don't reach people.",
    },
    ...(scope.hasObjectStorage ? [uploadStale()] : []),
  ];
}

function uploadStale(): Alert {
  const seconds = String(UPLOAD_SECONDS);
  return {
    name: "UploadStale",
    // The gauge is 0 after a start, until the first upload.
    expr:
      `time() - thanos_objstore_bucket_last_successful_upload_time{job=~"sidecar|ruler"} > ${seconds} ` +
      `and on (job, instance) time() - process_start_time_seconds > ${seconds}`,
    for: "15m",
    severity: "critical",
    part: "sidecar",
    summary: "{{ $labels.instance }} has uploaded nothing for {{ $value | humanizeDuration }}",
    description: "Samples that local retention deletes before they are uploaded are lost.",
  };
}
