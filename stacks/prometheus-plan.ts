import type { Flags } from "../components/kit/flags";
import { MANAGED_RULES_GLOB, PROMETHEUS_PATHS } from "../components/kit/paths";
import { formatDuration, milliseconds } from "../model/durations";
import {
  HUB_JOB,
  hubName,
  hubScrapeName,
  NAMES,
  PIPELINE_LABELS,
  PORTS,
  prometheusName,
  serviceHost,
  type ReplicaLetter,
} from "../model/names";
import type { Config } from "./config";

/** Which Prometheus. */
export interface ShardReplica {
  readonly shard: number;
  readonly replica: ReplicaLetter;
}

/** Selects of one query at a time in a Querier; Thanos' own default. */
export const CONCURRENT_SELECTS = 4;

/** Pods of a shard's leaf, with pairs: without them too, so that replica b changes nothing of a. */
const MOST_LEAVES = 2;

/** How often the hub's address is looked up, and the longest that a new hub waits for its first scrape. */
const HUB_LOOKUP_INTERVAL = "5s";

/** Below the hub's own scrape timeout of 10 s, so that a scrape that takes too long shows as `up == 0`. */
const LONGEST_SCRAPE_TIMEOUT_MILLISECONDS = 9_000;

/** Milliseconds that a scrape may take. */
export function scrapeTimeout(interval: number): number {
  return Math.min(interval, LONGEST_SCRAPE_TIMEOUT_MILLISECONDS);
}

/** A character that no label value holds, so that joined values can be told apart. */
const SEPARATOR = "\u0001";

type Rule = Readonly<Record<string, string | readonly string[]>>;

function set(label: string, value: string): Rule {
  return { action: "replace", target_label: label, replacement: value };
}

/** The last rules of every job: nothing that is stored may claim to be of another shard. */
function forced(config: Config, shard: number): Rule[] {
  return [set(PIPELINE_LABELS.cluster, config.clusterLabel), set(PIPELINE_LABELS.shard, String(shard))];
}

/**
 * Gives a pushed sample its own `job` or `instance` back, and none where none was pushed, so that a stored series has
 * exactly the pushed labels plus `cluster` and `shard`. With honor_labels off Prometheus has renamed it to
 * `exported_<label>`, or, where that was pushed too, to `exported_exported_<label>`.
 */
function restorePushed(label: string): Rule[] {
  const exported = `exported_${label}`;
  const twice = `exported_${exported}`;
  const take = (source: string): Rule => ({
    action: "replace",
    source_labels: [source],
    regex: "(.+)",
    target_label: label,
    replacement: "$1",
  });
  return [
    { action: "labeldrop", regex: label },
    take(exported),
    take(twice),
    // The pushed `exported_<label>` stays, a renamed `<label>` goes: told apart by whether there is a second one.
    {
      action: "replace",
      source_labels: [twice, exported],
      separator: SEPARATOR,
      regex: `${SEPARATOR}.*`,
      target_label: exported,
      replacement: "",
    },
    { action: "labeldrop", regex: twice },
  ];
}

function hubJob(
  config: Config,
  { shard, replica }: ShardReplica,
  name: string,
  path: string,
  restore: boolean,
): object {
  const interval = milliseconds(config.push.scrapeInterval);
  return {
    job_name: name,
    metrics_path: path,
    honor_labels: false,
    honor_timestamps: true,
    scrape_interval: config.push.scrapeInterval,
    scrape_timeout: formatDuration(scrapeTimeout(interval)),
    dns_sd_configs: [
      {
        names: [serviceHost(hubScrapeName(shard, replica), config.namespace.name)],
        type: "A",
        port: PORTS.hub,
        refresh_interval: HUB_LOOKUP_INTERVAL,
      },
    ],
    // One name for all pods of the hub: during an update two of them share it.
    relabel_configs: [set("instance", hubName(shard, replica)), ...forced(config, shard)],
    metric_relabel_configs: [
      ...(restore ? [...restorePushed("job"), ...restorePushed("instance")] : []),
      ...forced(config, shard),
    ],
  };
}

/** How long all rules lag: a push needs up to one interval to its hub's scrape and one more to be stored. */
export function ruleQueryOffset(config: Config): string {
  return formatDuration(2 * milliseconds(config.push.scrapeInterval));
}

/**
 * Content of prometheus.yaml. It is the same whether the shard is in the ring or retired: a hub that goes is found and
 * scraped until its last second, and afterwards the lookup finds none.
 * @param localRetention Instead of what the config says for this size.
 */
export function prometheusConfig(config: Config, id: ShardReplica, localRetention?: string): object {
  const { shard, replica } = id;
  const interval = milliseconds(config.push.scrapeInterval);
  const name = prometheusName(shard, replica);
  const retention = localRetention ?? (config.createThanos ? config.retention.sharded : config.retention.single);
  return {
    global: {
      evaluation_interval: config.query.evaluationInterval,
      external_labels: {
        [PIPELINE_LABELS.cluster]: config.clusterLabel,
        [PIPELINE_LABELS.shard]: String(shard),
        [PIPELINE_LABELS.replica]: replica,
      },
      rule_query_offset: ruleQueryOffset(config),
      scrape_interval: config.push.scrapeInterval,
      scrape_timeout: formatDuration(scrapeTimeout(interval)),
    },
    // Without the tenants' rules in sharded sizes: a shard evaluates only its parts of sharded rules.
    rule_files: [
      `${PROMETHEUS_PATHS.config}/${PROMETHEUS_PATHS.rulePrefix}*`,
      ...(config.configManager && !config.createThanos
        ? [`${PROMETHEUS_PATHS.managedRules}/${MANAGED_RULES_GLOB}`]
        : []),
    ],
    scrape_configs: [
      hubJob(config, id, HUB_JOB, "/metrics", true),
      hubJob(config, id, "hub-internal", "/internal", false),
      {
        job_name: "prometheus",
        static_configs: [{ targets: [`127.0.0.1:${String(PORTS.prometheus)}`] }],
        relabel_configs: [set("instance", name), ...forced(config, shard)],
        metric_relabel_configs: forced(config, shard),
      },
    ],
    storage: {
      tsdb: { out_of_order_time_window: config.outOfOrderWindow, retention: { time: retention } },
    },
    // In sharded sizes alerts come from elsewhere: a shard sees only its part.
    ...(config.createThanos ? {} : { alerting: alerting(config) }),
  };
}

function alerting(config: Config): object {
  const dropped = Object.values(PIPELINE_LABELS).join("|");
  return {
    // An alert is the same alert before and after a move to another shard or size.
    alert_relabel_configs: [{ action: "labeldrop", regex: dropped }],
    alertmanagers: [
      {
        static_configs: [
          { targets: [`${serviceHost(NAMES.alertmanager, config.namespace.name)}:${String(PORTS.alertmanager)}`] },
        ],
      },
    ],
  };
}

/** Flags of Prometheus. No lifecycle and admin endpoints: configuration is reloaded when its file changes. */
export function prometheusFlags(config: Config): Flags {
  const { query } = config;
  return {
    "config.auto-reload": true,
    "config.auto-reload-interval": "5s",
    "config.file": `${PROMETHEUS_PATHS.config}/${PROMETHEUS_PATHS.file}`,
    "query.lookback-delta": query.lookbackDelta,
    "query.max-concurrency": query.maxConcurrent,
    "query.max-samples": query.maxSamples,
    "query.timeout": query.timeout,
    // Remote reads are what sidecars live on: with fewer than leaves x queries x selects they queue for each other.
    ...(config.createThanos
      ? {
          "storage.remote.read-concurrent-limit": MOST_LEAVES * query.maxConcurrent * CONCURRENT_SELECTS,
        }
      : {}),
    "storage.tsdb.path": PROMETHEUS_PATHS.data,
    // For staleness markers, which the gate alone makes; the older message would be taken back whole over one refusal.
    "web.enable-remote-write-receiver": true,
    "web.listen-address": `127.0.0.1:${String(PORTS.prometheus)}`,
    "web.remote-write-receiver.accepted-protobuf-messages": "io.prometheus.write.v2.Request",
  };
}

/** Flags of the Thanos sidecar. */
export function sidecarFlags(): Flags {
  return {
    "enable-auto-gomemlimit": true,
    "grpc-address": `0.0.0.0:${String(PORTS.thanosGrpc)}`,
    "http-address": `0.0.0.0:${String(PORTS.thanosHttp)}`,
    // Also the pause between two tries at the start, which at Thanos' default of 30 s delays every rollout.
    "prometheus.get_config_interval": "5s",
  };
}
