import { prometheus, prometheusLabels, SHARD, shard, type AlertCase } from "./alert-case";

const sidecar = `job="sidecar",instance="sidecar-shard-0-a",${SHARD}`;
const disk = (name: string) => `prometheus_tsdb_${name}{${prometheus}}`;
const group = `job="ruler",instance="ruler-0",rule_group="x"`;
const groupLabels = { job: "ruler", instance: "ruler-0", rule_group: "x" } as const;

/** Volumes, rules, configuration and uploads. */
export const STORAGE_CASES: readonly AlertCase[] = [
  {
    alert: "DiskFilling",
    when: "blocks and WAL take 95% of the volume",
    series: {
      [disk("storage_blocks_bytes")]: "500x30",
      [disk("wal_storage_size_bytes")]: "400x30",
      [disk("head_chunks_storage_size_bytes")]: "50x30",
    },
    minute: 20,
    fires: [prometheusLabels],
    part: "prometheus",
  },
  {
    alert: "DiskFilling",
    when: "70% are taken, and a day later it will be all",
    series: {
      [disk("storage_blocks_bytes")]: "400+0.5x420",
      [disk("wal_storage_size_bytes")]: "100x420",
      [disk("head_chunks_storage_size_bytes")]: "50x420",
    },
    minute: 400,
    fires: [prometheusLabels],
    part: "prometheus",
  },
  {
    alert: "DiskFilling",
    when: "70% are taken, and stay so",
    series: {
      [disk("storage_blocks_bytes")]: "600x420",
      [disk("wal_storage_size_bytes")]: "70x420",
      [disk("head_chunks_storage_size_bytes")]: "30x420",
    },
    minute: 400,
    fires: [],
  },
  {
    alert: "PrometheusStorageFailing",
    when: "a compaction failed ten minutes ago",
    series: { [`prometheus_tsdb_compactions_failed_total{${prometheus}}`]: "0x5 1x30" },
    minute: 15,
    fires: [prometheusLabels],
    part: "prometheus",
  },
  {
    alert: "PrometheusStorageFailing",
    when: "the WAL was found corrupt at the last start",
    series: {
      [`prometheus_tsdb_wal_corruptions_total{${prometheus}}`]: "1x30",
      [`process_start_time_seconds{${prometheus}}`]: "0x30",
    },
    minute: 15,
    fires: [prometheusLabels],
    part: "prometheus",
  },
  {
    alert: "PrometheusStorageFailing",
    when: "writes failed long ago",
    series: { [`prometheus_tsdb_wal_writes_failed_total{${prometheus}}`]: "3x60" },
    minute: 50,
    fires: [],
  },
  {
    alert: "ConfigReloadFailed",
    when: "Alertmanager can't load its file",
    series: { 'alertmanager_config_last_reload_successful{job="alertmanager",instance="alertmanager"}': "1 0x20" },
    minute: 8,
    fires: [{ job: "alertmanager", instance: "alertmanager" }],
    part: "configuration",
  },
  {
    alert: "ConfigReloadFailed",
    when: "a second try succeeds",
    series: { [`prometheus_config_last_reload_successful{${prometheus}}`]: "1 0x2 1x20" },
    minute: 8,
    fires: [],
  },
  {
    alert: "RuleEvaluationGaps",
    when: "a group misses evaluations",
    series: { [`prometheus_rule_group_iterations_missed_total{${group}}`]: "0+1x30" },
    minute: 15,
    fires: [groupLabels],
    part: "rules",
  },
  {
    alert: "RuleEvaluationGaps",
    when: "a group has not been evaluated for 10 minutes",
    series: {
      [`prometheus_rule_group_last_evaluation_timestamp_seconds{${group}}`]: "0+60x5 300x30",
      [`prometheus_rule_group_interval_seconds{${group}}`]: "60x40",
    },
    minute: 16,
    fires: [groupLabels],
    part: "rules",
  },
  {
    alert: "RuleEvaluationGaps",
    when: "a group is evaluated every minute",
    series: {
      [`prometheus_rule_group_last_evaluation_timestamp_seconds{${group}}`]: "0+60x40",
      [`prometheus_rule_group_interval_seconds{${group}}`]: "60x40",
      [`prometheus_rule_group_iterations_missed_total{${group}}`]: "0x40",
      [`prometheus_rule_evaluation_failures_total{${group},file="y"}`]: "7x40",
    },
    minute: 20,
    fires: [],
  },
  {
    alert: "AlertsUndelivered",
    when: "notifications fail",
    series: {
      'alertmanager_notifications_failed_total{job="alertmanager",instance="alertmanager",integration="email"}':
        "0+1x30",
    },
    minute: 20,
    fires: [{ job: "alertmanager", instance: "alertmanager", integration: "email" }],
    part: "alertmanager",
  },
  {
    alert: "AlertsUndelivered",
    when: "one failed and was sent again",
    series: { 'prometheus_notifications_errors_total{job="monitoring",instance="monitoring"}': "0x3 1x30" },
    minute: 20,
    fires: [],
  },
  {
    alert: "UploadStale",
    when: "a sidecar uploaded an hour after its start and never again",
    series: {
      [`thanos_objstore_bucket_last_successful_upload_time{${sidecar}}`]: "0x60 3600x480",
      [`process_start_time_seconds{${sidecar}}`]: "0x540",
    },
    minute: 500,
    fires: [{ job: "sidecar", instance: "sidecar-shard-0-a", ...shard }],
    part: "sidecar",
  },
  {
    alert: "UploadStale",
    when: "a sidecar started two hours ago and has uploaded nothing yet",
    series: {
      [`thanos_objstore_bucket_last_successful_upload_time{${sidecar}}`]: "0x600",
      [`process_start_time_seconds{${sidecar}}`]: "22800x600",
    },
    minute: 500,
    fires: [],
  },
];
