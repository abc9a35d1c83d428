import type { AlertmanagerArgs } from "../components/alertmanager";
import type { ConfigManagerArgs } from "../components/config-manager";
import type { EdgeHubArgs } from "../components/edge-hub";
import type { ExporterArgs } from "../components/exporter";
import type { NetworkPoliciesArgs } from "../components/network-policies";
import { contentName } from "../components/kit/content-name";
import type { Flags } from "../components/kit/flags";
import type { Part } from "../components/kit/labels";
import { QUERIER_PATHS } from "../components/kit/paths";
import type { Platform } from "../components/kit/platform";
import { resourcesFor } from "../components/kit/resources";
import type { GrafanaFilesArgs } from "../components/grafana-files";
import type { MonitoringArgs } from "../components/monitoring";
import type { PlacementArgs } from "../components/placement";
import type { QuerierArgs } from "../components/querier";
import type { RulerArgs } from "../components/ruler";
import { shardRules, singleRules } from "../components/rules/generate";
import type { RuleFile } from "../components/rules/rule-file";
import type { StoreGatewayArgs } from "../components/store-gateway";
import type { ShardArgs } from "../components/shard";
import type { ShardPairArgs } from "../components/shard-pair";
import { milliseconds, seconds } from "../model/durations";
import type { ExporterConfig } from "../model/exporter-config";
import {
  hubName,
  PIPELINE_LABELS,
  PORTS,
  RULER_SHARD,
  serviceHost,
  shardName,
  sidecarName,
  storeName,
  type ReplicaLetter,
} from "../model/names";
import { CONTAINER_COMPONENTS, POD_COMPONENTS, type PodComponent } from "../model/parts";
import { quantity } from "../model/quantities";
import { ringVersion } from "../model/ring";
import type { Config } from "./config";
import { alertmanagerConfig } from "./alertmanager-config";
import { alertmanagerConfigurer, configManagerPlan, configManagerPuller } from "./config-manager-plan";
import { grafanaPlan } from "./grafana-plan";
import { monitoringPlan } from "./monitoring-plan";
import { networkPlan } from "./network-plan";
import { objectStoragePlan, type ObjectStoragePlan } from "./object-storage-plan";
import { CONCURRENT_SELECTS, prometheusConfig, prometheusFlags, sidecarFlags } from "./prometheus-plan";
import { outputs, type StackOutputs } from "./outputs";
import { hasPlacement, placementPlan, placementUrl } from "./placement-plan";
import { queriedShards, type QueriedShard } from "./queried-shards";
import { ruler, rulerEndpoints } from "./ruler-plan";
import { watchedExtras } from "./watched-extras";

/** The whole pipeline as plain data: what components turn into resources. */
export interface Topology {
  readonly platform: Platform;
  /** Parts that this size has. */
  readonly components: readonly PodComponent[];
  readonly services: Readonly<Record<string, string>>;
  /** Absent where the config switches them off. */
  readonly networkPolicies?: NetworkPoliciesArgs;
  readonly shards: readonly ShardArgs[];
  /** Absent in the single size. */
  readonly querier?: QuerierArgs;
  /** Absent in the single size, whose Prometheus evaluates the rules. */
  readonly ruler?: RulerArgs;
  /** Who is behind the Service `query`. */
  readonly answeredBy: Part;
  readonly exporter: ExporterArgs;
  /** Absent in the single size, and where the config switches it off. */
  readonly placement?: PlacementArgs;
  readonly alertmanager: AlertmanagerArgs;
  /** Absent where the config does not ask for it. */
  readonly configManager?: ConfigManagerArgs;
  /** Absent without object storage. */
  readonly objectStorage?: Pick<ObjectStoragePlan, "created" | "secret" | "compactor"> & {
    /** Answers for what the Rulers recorded. */
    readonly rulerGateway: StoreGatewayArgs;
  };
  /** Absent where the config switches it off. */
  readonly monitoring?: MonitoringArgs;
  /** Absent where the config switches it off. */
  readonly grafana?: GrafanaFilesArgs;
  readonly outputs: StackOutputs;
}

/** Old samples are refused this much before Prometheus would refuse them: they travel, and clocks differ. */
const AGE_MARGIN_SECONDS = 300;

/** Exporters open new connections to hubs this often, so a stopping hub is left within one such time and a scrape. */
const DRAIN_MARGIN_SECONDS = 10;

/** The pipeline that a config describes. Pure: equal configs give equal topologies. */
export function buildTopology(
  config: Config,
  services: Readonly<Record<string, string>>,
  rules: readonly RuleFile[] = [],
): Topology {
  const platform = buildPlatform(config, services);
  const storage = objectStoragePlan(config, platform);
  const queried = queriedShards(config);
  const exporter = exporterConfig(config, queried);
  const components = POD_COMPONENTS.filter((component) => hasComponent(config, component));
  const local = queried.flatMap(({ index, isRetired, replicas }) =>
    replicas.map((replica) => ({ shard: index, replica, isRetired })),
  );
  return {
    platform,
    components,
    ...networkPlan(
      config,
      components,
      local.map(({ shard, replica }) => ({ shard, replica })),
    ),
    services,
    shards: queried.map((shard) => ({
      index: shard.index,
      replicas: shard.replicas.map((replica) => shardPair(config, rules, storage, shard, replica)),
      ...(storage === undefined ? {} : { store: storage.storeGateway(shard.index) }),
    })),
    ...(config.createThanos ? { querier: querier(config, queried), ruler: ruler(config, rules, storage) } : {}),
    ...(storage === undefined
      ? {}
      : {
          objectStorage: {
            created: storage.created,
            secret: storage.secret,
            compactor: storage.compactor,
            rulerGateway: storage.storeGateway(RULER_SHARD),
          },
        }),
    answeredBy: config.createThanos ? { component: "querier" } : { component: "prometheus", shard: 0, replica: "a" },
    exporter: { replicas: config.push.exporterReplicas, config: exporter },
    ...placementPlan(config, exporter),
    alertmanager: {
      config: alertmanagerConfig(config.alertmanager.config),
      ...alertmanagerConfigurer(config),
      storageSize: config.storage.alertmanagerSize,
      ...(config.storage.className === undefined ? {} : { storageClassName: config.storage.className }),
      isProtected: config.deletionProtection,
    },
    ...configManagerPlan(config),
    ...monitoringPlan(
      config,
      local,
      { version: exporter.version, shards: exporter.shards.length },
      watchedExtras(config, queried),
    ),
    ...grafanaPlan(config),
    outputs: outputs(config, queried, storage, exporter.version),
  };
}

function hasComponent(config: Config, component: PodComponent): boolean {
  if (component === "querier" || component === "ruler") return config.createThanos;
  if (component === "store" || component === "compactor") return config.objectStorage !== undefined;
  if (component === "monitoring") return config.monitoring.enabled;
  if (component === "placement") return hasPlacement(config);
  if (component === "configmanager") return config.configManager;
  return true;
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

function shardPair(
  config: Config,
  rules: readonly RuleFile[],
  storage: ObjectStoragePlan | undefined,
  { index: shard, isRetired }: QueriedShard,
  replica: ReplicaLetter,
): ShardPairArgs {
  const evaluated = config.createThanos ? shardRules : singleRules;
  const hub: EdgeHubArgs = {
    limit: config.push.hubLimit,
    drainSeconds: 2 * seconds(config.push.scrapeInterval) + DRAIN_MARGIN_SECONDS,
  };
  return {
    shard,
    replica,
    // Of b only: a pod keeps those that come later away as well, and a stays as it is in a stack without b.
    ...(replica === "a" || config.availability === "none" ? {} : { apart: config.availability }),
    prometheus: {
      flags: { ...prometheusFlags(config), ...storage?.prometheusFlags },
      config: prometheusConfig(config, { shard, replica }, storage?.localRetention),
      rules: evaluated(rules, { clusterLabel: config.clusterLabel, shard }),
      ...configManagerPuller(config, "prometheus"),
      ...(config.createThanos ? { sidecarFlags: { ...sidecarFlags(), ...storage?.sidecarFlags } } : {}),
      ...(storage === undefined ? {} : { uploads: storage.uploads }),
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

function querier(config: Config, shards: readonly QueriedShard[]): QuerierArgs {
  const { query, namespace } = config;
  const address = (service: string) => `${serviceHost(service, namespace.name)}:${String(PORTS.thanosGrpc)}`;
  const flags: Flags = {
    // Replicas of a pushed shard, and a disk and the bucket, hold the same samples; the default func leaves holes where
    // it goes from one to the other.
    "deduplication.func": "chain",
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
      endpoints: [
        ...shards
          .flatMap((shard) => [
            ...shard.replicas.map((replica) => sidecarName(shard.index, replica)),
            ...(config.objectStorage === undefined ? [] : [storeName(shard.index)]),
          ])
          .concat(config.objectStorage === undefined ? [] : [storeName(RULER_SHARD)])
          // Strict: the only mode in which a shard that fails is an error instead of a smaller answer.
          .map((service) => ({ address: address(service), strict: true })),
        ...rulerEndpoints(namespace.name),
      ],
    },
  };
}

function exporterConfig(config: Config, queried: readonly QueriedShard[]): ExporterConfig {
  const { push, namespace } = config;
  const inRing = queried.filter(({ isRetired }) => !isRetired);
  const shards = inRing.map(({ index, replicas }) => ({
    index,
    name: shardName(index),
    hubs: replicas.map((replica) => ({
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
    ...placementUrl(config),
  };
}
