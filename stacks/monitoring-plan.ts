import type { ShardReplica } from "../components/alerts/alert";
import { alertFile } from "../components/alerts/groups";
import type { Flags } from "../components/kit/flags";
import { MONITORING_PATHS } from "../components/kit/paths";
import type { MonitoringArgs, ScrapeService } from "../components/monitoring";
import { formatDuration, milliseconds } from "../model/durations";
import {
  hubName,
  NAMES,
  PIPELINE_LABELS,
  PORTS,
  prometheusName,
  serviceHost,
  sidecarName,
  type ReplicaLetter,
} from "../model/names";
import { quantity } from "../model/quantities";
import type { Config } from "./config";
import { replicaLetters } from "./queried-shards";

/** A replica of a shard that this stack deploys. */
export interface DeployedReplica extends ShardReplica {
  readonly replica: ReplicaLetter;
  /** Queried, but without a hub. */
  readonly isRetired: boolean;
}

/** A part whose pods are found by DNS, and counted. */
export interface WatchedPart {
  /** Name of the job, and of the part in alerts. */
  readonly job: string;
  /** Headless Services that name its pods. */
  readonly services: readonly string[];
  /** Container port with the metrics. */
  readonly port: number;
  /** Pods that should run, over all its Services. */
  readonly replicas: number;
  /** Each Service is one shard's, and its name says which. */
  readonly isPerShard?: boolean;
}

/** What a stack has besides the parts of every stack. */
export interface WatchedExtras {
  readonly parts?: readonly WatchedPart[];
  /** Leaves that the roots list. */
  readonly endpoints?: number;
  /** Whether sidecars and Rulers upload. */
  readonly hasObjectStorage?: boolean;
}

/** Longest that a part may take to tell its metrics. */
const LONGEST_SCRAPE_TIMEOUT_MILLISECONDS = 10_000;

/** Part of the volume that blocks and WAL may take: the rest is for a compaction under way. */
const DISK_FRACTION = 0.8;

/** How often pods of parts with replicas are looked up. */
const LOOKUP_INTERVAL = "15s";

/**
 * Metrics that neither an alert nor a panel uses and that make up most of what these parts tell: the runtime's and the
 * HTTP servers' own histograms.
 */
const DROPPED =
  "go_(cpu|gc|godebug|memory|sched|sync)_.*|net_conntrack_.*|prometheus_(http|sd|tsdb)_.*_bucket|grpc_.*_bucket";

/** How one job is scraped. */
interface Job {
  readonly name: string;
  /** Default: /metrics. */
  readonly path?: string;
  readonly targets: object;
  /** Rules for samples, after the common ones. */
  readonly relabel?: readonly object[];
}

/** The exporter's name of a hub (`target_shard="shard-0"`) as the labels of that hub's own targets. */
const TARGET_OF_PUSH: readonly object[] = [
  { action: "replace", source_labels: ["target_shard"], regex: "shard-(.+)", target_label: "shard" },
  { action: "replace", source_labels: ["target_replica"], regex: "(.+)", target_label: "replica" },
  { action: "labeldrop", regex: "target_shard|target_replica" },
];

/** `leaf-shard-0-pods.metrics.svc` as the label `shard` of its targets. */
const SHARD_OF_NAME = {
  action: "replace",
  source_labels: ["__meta_dns_name"],
  regex: "leaf-(?:shard-)?([^.]+)-pods\\..*",
  target_label: "shard",
  replacement: "$1",
};

/** What watches a stack, or nothing where its config switches that off. */
export function monitoringPlan(
  config: Config,
  deployed: readonly DeployedReplica[],
  ring: { readonly version: string; readonly shards: number },
  extras: WatchedExtras = {},
): { readonly monitoring?: MonitoringArgs } {
  if (!config.monitoring.enabled) return {};
  const parts = [...watchedParts(config), ...(extras.parts ?? [])];
  return {
    monitoring: {
      flags: flags(config),
      config: prometheusConfig(config, deployed, parts),
      alerts: alertFile({
        isSharded: config.createThanos,
        deployed,
        endpoints: extras.endpoints ?? 0,
        ringShards: ring.shards,
        ringVersion: ring.version,
        replicas: { ...Object.fromEntries(parts.map(({ job, replicas }) => [job, replicas])), alertmanager: 1 },
        diskBytes: quantity(config.storage.size),
        hasObjectStorage: extras.hasObjectStorage ?? false,
        runbooks: config.monitoring.runbooks.replace(/\/+$/, ""),
      }),
      scrapeServices: scrapeServices(config),
      storageSize: config.monitoring.storageSize,
      ...(config.storage.className === undefined ? {} : { storageClassName: config.storage.className }),
    },
  };
}

/** Parts of which every stack may have several pods. */
function watchedParts(config: Config): WatchedPart[] {
  const exporter = {
    job: "exporter",
    services: [NAMES.exporterScrape],
    port: PORTS.ops,
    replicas: config.push.exporterReplicas,
  };
  const querier = {
    job: "querier",
    services: [NAMES.querierPods],
    port: PORTS.thanosHttp,
    replicas: config.query.replicas,
  };
  const rootGate = { ...querier, job: "root-gate", port: PORTS.ops };
  const frontend = {
    job: "query-frontend",
    services: [NAMES.queryFrontendScrape],
    port: PORTS.thanosHttp,
    replicas: replicaLetters(config).length,
  };
  if (!config.createThanos) return [exporter];
  return [exporter, querier, rootGate, ...(config.query.frontend.enabled ? [frontend] : [])];
}

function scrapeServices(config: Config): ScrapeService[] {
  return [
    { name: NAMES.exporterScrape, part: { component: "exporter" }, port: PORTS.ops, target: "ops" },
    ...(config.createThanos && config.query.frontend.enabled
      ? [
          {
            name: NAMES.queryFrontendScrape,
            part: { component: "query-frontend" } as const,
            port: PORTS.thanosHttp,
            target: "http",
          },
        ]
      : []),
  ];
}

/** One target per replica of a shard: by name, so that a missing one is `up == 0`. */
function perReplica(
  config: Config,
  replicas: readonly DeployedReplica[],
  target: (each: DeployedReplica) => { readonly instance: string; readonly service: string; readonly port: number },
): object {
  return {
    static_configs: replicas.map((each) => {
      const { instance, service, port } = target(each);
      return {
        targets: [`${serviceHost(service, config.namespace.name)}:${String(port)}`],
        labels: { instance, shard: String(each.shard), replica: each.replica },
      };
    }),
  };
}

function byName(target: string, instance: string): object {
  return { static_configs: [{ targets: [target], labels: { instance } }] };
}

function byLookup(config: Config, { services, port, isPerShard = false }: WatchedPart): object {
  const names = services.map((service) => serviceHost(service, config.namespace.name));
  return {
    dns_sd_configs: [{ names, type: "A", port, refresh_interval: LOOKUP_INTERVAL }],
    ...(isPerShard ? { relabel_configs: [SHARD_OF_NAME] } : {}),
  };
}

/** Every part's own metrics. Of a hub only /internal: a scrape of its /metrics takes its samples away. */
function jobs(config: Config, deployed: readonly DeployedReplica[], parts: readonly WatchedPart[]): Job[] {
  const behind = (port: number, instance = prometheusName) =>
    perReplica(config, deployed, ({ shard, replica }) => ({
      instance: instance(shard, replica),
      service: prometheusName(shard, replica),
      port,
    }));
  const hubs = perReplica(
    config,
    deployed.filter(({ isRetired }) => !isRetired),
    ({ shard, replica }) => ({ instance: hubName(shard, replica), service: hubName(shard, replica), port: PORTS.hub }),
  );
  return [
    { name: "prometheus", targets: behind(PORTS.gate) },
    { name: "gate", targets: behind(PORTS.ops) },
    { name: "hub", path: "/internal", targets: hubs },
    ...parts.map((part) => ({
      name: part.job,
      targets: byLookup(config, part),
      ...(part.job === "exporter" ? { relabel: TARGET_OF_PUSH } : {}),
    })),
    {
      name: "alertmanager",
      targets: byName(
        `${serviceHost(NAMES.alertmanager, config.namespace.name)}:${String(PORTS.alertmanager)}`,
        NAMES.alertmanager,
      ),
    },
    { name: "monitoring", targets: byName(`127.0.0.1:${String(PORTS.prometheus)}`, NAMES.monitoring) },
    ...(config.createThanos ? [{ name: "sidecar", targets: behind(PORTS.thanosHttp, sidecarName) }] : []),
  ];
}

/** Content of prometheus.yaml. */
function prometheusConfig(config: Config, deployed: readonly DeployedReplica[], parts: readonly WatchedPart[]): object {
  const { scrapeInterval, retention, storageSize } = config.monitoring;
  const timeout = Math.min(milliseconds(scrapeInterval), LONGEST_SCRAPE_TIMEOUT_MILLISECONDS);
  return {
    global: {
      evaluation_interval: scrapeInterval,
      external_labels: { [PIPELINE_LABELS.cluster]: config.clusterLabel },
      scrape_interval: scrapeInterval,
      scrape_timeout: formatDuration(timeout),
    },
    rule_files: [`${MONITORING_PATHS.config}/${MONITORING_PATHS.alerts}`],
    scrape_configs: jobs(config, deployed, parts).map(({ name, path = "/metrics", targets, relabel = [] }) => ({
      job_name: name,
      metrics_path: path,
      ...targets,
      metric_relabel_configs: [{ action: "drop", source_labels: ["__name__"], regex: DROPPED }, ...relabel],
    })),
    storage: {
      tsdb: {
        retention: {
          time: retention,
          size: `${String(Math.floor((quantity(storageSize) * DISK_FRACTION) / 2 ** 20))}MB`,
        },
      },
    },
    alerting: {
      alertmanagers: [
        {
          static_configs: [
            { targets: [`${serviceHost(NAMES.alertmanager, config.namespace.name)}:${String(PORTS.alertmanager)}`] },
          ],
        },
      ],
    },
  };
}

/** As the shards' Prometheus: on loopback behind a gate, and without lifecycle and admin endpoints. */
function flags(config: Config): Flags {
  return {
    "config.auto-reload": true,
    "config.auto-reload-interval": "5s",
    "config.file": `${MONITORING_PATHS.config}/${MONITORING_PATHS.file}`,
    "storage.tsdb.path": MONITORING_PATHS.data,
    // In the alerts' links.
    "web.external-url": `http://${serviceHost(NAMES.monitoring, config.namespace.name)}:${String(PORTS.gate)}`,
    "web.listen-address": `127.0.0.1:${String(PORTS.prometheus)}`,
  };
}
