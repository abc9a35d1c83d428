import type { AlertmanagerArgs } from "../components/alertmanager";
import type { EdgeHubArgs } from "../components/edge-hub";
import type { ExporterArgs } from "../components/exporter";
import { contentName } from "../components/kit/content-name";
import type { Flags } from "../components/kit/flags";
import type { Part } from "../components/kit/labels";
import { QUERIER_PATHS } from "../components/kit/paths";
import type { Platform } from "../components/kit/platform";
import { resourcesFor } from "../components/kit/resources";
import type { GrafanaFilesArgs } from "../components/grafana-files";
import type { MonitoringArgs } from "../components/monitoring";
import type { QuerierArgs } from "../components/querier";
import type { ShardArgs } from "../components/shard";
import type { ShardPairArgs } from "../components/shard-pair";
import { milliseconds, seconds } from "../model/durations";
import type { ExporterConfig } from "../model/exporter-config";
import {
  claimName,
  hubName,
  NAMES,
  PIPELINE_LABELS,
  PORTS,
  prometheusName,
  replicaName,
  serviceHost,
  shardName,
  sidecarName,
  type ReplicaLetter,
} from "../model/names";
import { CONTAINER_COMPONENTS, POD_COMPONENTS, type PodComponent } from "../model/parts";
import { quantity } from "../model/quantities";
import { ringVersion } from "../model/ring";
import type { Config } from "./config";
import { grafanaPlan } from "./grafana-plan";
import { monitoringPlan } from "./monitoring-plan";
import { CONCURRENT_SELECTS, prometheusConfig, prometheusFlags, sidecarFlags } from "./prometheus-plan";

/** One replica of a shard, for people and tools. */
export interface ReplicaOutput {
  /** `shard-0-a` */
  readonly name: string;
  readonly statefulSet: string;
  /** The claim with the samples; it outlives the StatefulSet. */
  readonly claim: string;
  /** Deployment and Service of the hub; null for a retired shard. */
  readonly hub: string | null;
}

/** One shard, for people and tools. */
export interface ShardOutput {
  readonly index: number;
  readonly name: string;
  /** Queried, but without a hub and not in the ring. */
  readonly retired: boolean;
  readonly replicas: readonly ReplicaOutput[];
}

/** What the stack says about itself. */
export interface StackOutputs {
  readonly namespace: string;
  /** Where to ask, inside the cluster. */
  readonly queryUrl: string;
  /** Where to push, inside the cluster. */
  readonly pushUrl: string;
  readonly alertmanagerUrl: string;
  readonly shards: readonly ShardOutput[];
  /** Version of the ring table: it changes exactly when keys move. */
  readonly ring: string;
  /** Commands that open a way in from outside. */
  readonly portForward: Readonly<Record<"query" | "push" | "alertmanager", string>>;
}

/** The whole pipeline as plain data: what components turn into resources. */
export interface Topology {
  readonly platform: Platform;
  /** Parts that this size has. */
  readonly components: readonly PodComponent[];
  readonly services: Readonly<Record<string, string>>;
  readonly shards: readonly ShardArgs[];
  /** Absent in the single size. */
  readonly querier?: QuerierArgs;
  /** Who is behind the Service `query`. */
  readonly answeredBy: Part;
  readonly exporter: ExporterArgs;
  readonly alertmanager: AlertmanagerArgs;
  /** Absent where the config switches it off. */
  readonly monitoring?: MonitoringArgs;
  /** Absent where the config switches it off. */
  readonly grafana?: GrafanaFilesArgs;
  readonly outputs: StackOutputs;
}

/** Replicas of every shard; `b` comes with high availability. */
const REPLICAS: readonly ReplicaLetter[] = ["a"];

/** Old samples are refused this much before Prometheus would refuse them: they travel, and clocks differ. */
const AGE_MARGIN_SECONDS = 300;

/** Exporters open new connections to hubs this often, so a stopping hub is left within one such time and a scrape. */
const DRAIN_MARGIN_SECONDS = 10;

/** The pipeline that a config describes. Pure: equal configs give equal topologies. */
export function buildTopology(config: Config, services: Readonly<Record<string, string>>): Topology {
  const platform = buildPlatform(config, services);
  const inRing = Array.from({ length: config.serversCount }, (_, index) => index);
  const retired = [...config.retiredShards].sort((left, right) => left - right);
  const deployed = [...inRing, ...retired];
  const exporter = exporterConfig(config, inRing);
  return {
    platform,
    components: POD_COMPONENTS.filter(
      (component) =>
        (component !== "querier" || config.createThanos) && (component !== "monitoring" || config.monitoring.enabled),
    ),
    services,
    shards: deployed.map((index) => ({
      index,
      replicas: REPLICAS.map((replica) => shardPair(config, index, replica, index >= config.serversCount)),
    })),
    ...(config.createThanos ? { querier: querier(config, deployed) } : {}),
    answeredBy: config.createThanos ? { component: "querier" } : { component: "prometheus", shard: 0, replica: "a" },
    exporter: { replicas: config.push.exporterReplicas, config: exporter },
    alertmanager: {
      config: alertmanagerConfig(),
      storageSize: config.storage.alertmanagerSize,
      ...(config.storage.className === undefined ? {} : { storageClassName: config.storage.className }),
      isProtected: config.deletionProtection,
    },
    ...monitoringPlan(
      config,
      deployed.flatMap((shard) =>
        REPLICAS.map((replica) => ({ shard, replica, isRetired: shard >= config.serversCount })),
      ),
      { version: exporter.version, shards: exporter.shards.length },
    ),
    ...grafanaPlan(config),
    outputs: outputs(config, deployed, exporter.version),
  };
}

function buildPlatform(config: Config, services: Readonly<Record<string, string>>): Platform {
  const { pullSecrets, ...images } = config.images;
  const load = { seriesPerShard: config.expectedSeriesPerShard, hubLimit: config.push.hubLimit };
  return {
    namespace: config.namespace.name,
    labels: config.labels,
    images,
    pullSecrets,
    scheduling: config.scheduling,
    resources: Object.fromEntries(
      CONTAINER_COMPONENTS.map((name) => [name, resourcesFor(name, load, config.resources[name])]),
    ) as Platform["resources"],
    servicesMap: contentName("services", services),
  };
}

function shardPair(config: Config, shard: number, replica: ReplicaLetter, isRetired: boolean): ShardPairArgs {
  const hub: EdgeHubArgs = {
    limit: config.push.hubLimit,
    drainSeconds: 2 * seconds(config.push.scrapeInterval) + DRAIN_MARGIN_SECONDS,
  };
  return {
    shard,
    replica,
    prometheus: {
      flags: prometheusFlags(config),
      config: prometheusConfig(config, { shard, replica }),
      ...(config.createThanos ? { sidecarFlags: sidecarFlags() } : {}),
      storageSize: config.storage.size,
      ...(config.storage.className === undefined ? {} : { storageClassName: config.storage.className }),
      clusterLabel: config.clusterLabel,
      isProtected: config.deletionProtection && !isRetired,
      timeoutMinutes: startTimeoutMinutes(config.expectedSeriesPerShard),
    },
    ...(isRetired ? {} : { hub }),
  };
}

/** 15 minutes for images and volumes, and 30 per million series for the WAL (70 M took 25 min on a large machine), 75 at most. */
function startTimeoutMinutes(series: number): number {
  return Math.min(75, 15 + Math.ceil((series / 1e6) * 30));
}

function querier(config: Config, shards: readonly number[]): QuerierArgs {
  const { query, namespace } = config;
  const flags: Flags = {
    "enable-auto-gomemlimit": true,
    "endpoint.sd-config-file": `${QUERIER_PATHS.config}/${QUERIER_PATHS.endpoints}`,
    "exemplar.partial-response": false,
    "grpc-address": `0.0.0.0:${String(PORTS.thanosGrpc)}`,
    "http-address": `0.0.0.0:${String(PORTS.thanosHttp)}`,
    "metric-metadata.partial-response": false,
    "query.default-evaluation-interval": query.evaluationInterval,
    "query.lookback-delta": query.lookbackDelta,
    "query.max-concurrent": query.maxConcurrent,
    "query.max-concurrent-select": CONCURRENT_SELECTS,
    // Thanos' default is true: a dead shard would make a smaller number out of an error.
    "query.partial-response": false,
    "query.promql-engine": "prometheus",
    "query.replica-label": PIPELINE_LABELS.replica,
    "query.timeout": query.timeout,
    "rule.partial-response": false,
    "store.response-timeout": query.timeout,
    "target.partial-response": false,
  };
  return {
    replicas: query.replicas,
    flags,
    endpoints: {
      endpoints: shards.flatMap((shard) =>
        REPLICAS.map((replica) => ({
          address: `${serviceHost(sidecarName(shard, replica), namespace.name)}:${String(PORTS.thanosGrpc)}`,
          // The only mode in which a shard that fails is an error instead of a smaller answer.
          strict: true,
        })),
      ),
    },
  };
}

function exporterConfig(config: Config, inRing: readonly number[]): ExporterConfig {
  const { push, namespace } = config;
  const shards = inRing.map((index) => ({
    index,
    name: shardName(index),
    hubs: REPLICAS.map((replica) => ({
      replica,
      url: `http://${serviceHost(hubName(index, replica), namespace.name)}:${String(PORTS.hub)}`,
    })),
  }));
  const { shardLabel, homeShard } = push;
  return {
    version: ringVersion({ shardLabel, homeShard, shards }),
    shardLabel,
    homeShard,
    shards,
    limits: {
      maxBodyBytes: quantity(push.limits.maxBodySize),
      maxFutureSeconds: seconds(push.limits.maxFuture),
      maxAgeSeconds: seconds(config.outOfOrderWindow) - AGE_MARGIN_SECONDS,
    },
    pushTimeoutMilliseconds: milliseconds(push.timeout),
  };
}

/** The smallest valid configuration: alerts are shown and silenced, nobody is notified. */
function alertmanagerConfig(): object {
  return { route: { receiver: "none" }, receivers: [{ name: "none" }] };
}

function outputs(config: Config, deployed: readonly number[], ring: string): StackOutputs {
  const namespace = config.namespace.name;
  const url = (service: string, port: number) => `http://${serviceHost(service, namespace)}:${String(port)}`;
  const forward = (service: string, port: number) =>
    `kubectl --namespace ${namespace} port-forward service/${service} ${String(port)}:${String(port)}`;
  return {
    namespace,
    queryUrl: url(NAMES.query, PORTS.query),
    pushUrl: `${url(NAMES.exporter, PORTS.push)}/metrics`,
    alertmanagerUrl: url(NAMES.alertmanager, PORTS.alertmanager),
    shards: deployed.map((index) => {
      const isRetired = index >= config.serversCount;
      return {
        index,
        name: shardName(index),
        retired: isRetired,
        replicas: REPLICAS.map((replica) => ({
          name: replicaName(index, replica),
          statefulSet: prometheusName(index, replica),
          claim: claimName(prometheusName(index, replica)),
          hub: isRetired ? null : hubName(index, replica),
        })),
      };
    }),
    ring,
    portForward: {
      query: forward(NAMES.query, PORTS.query),
      push: forward(NAMES.exporter, PORTS.push),
      alertmanager: forward(NAMES.alertmanager, PORTS.alertmanager),
    },
  };
}
