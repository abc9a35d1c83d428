import type { AlertmanagerArgs } from "../components/alertmanager";
import type { ConfigManagerArgs } from "../components/config-manager";
import type { EdgeHubArgs } from "../components/edge-hub";
import type { ExporterArgs } from "../components/exporter";
import type { NetworkPoliciesArgs } from "../components/network-policies";
import { contentName } from "../components/kit/content-name";
import type { Part } from "../components/kit/labels";
import type { Platform } from "../components/kit/platform";
import { resourcesFor } from "../components/kit/resources";
import type { GrafanaFilesArgs } from "../components/grafana-files";
import type { MonitoringArgs } from "../components/monitoring";
import type { LeafArgs } from "../components/leaf";
import type { QuerierArgs } from "../components/querier";
import type { QueryFrontendArgs } from "../components/query-frontend";
import type { RulerArgs } from "../components/ruler";
import { shardRules, singleRules } from "../components/rules/generate";
import type { RuleFile } from "../components/rules/rule-file";
import type { StoreGatewayArgs } from "../components/store-gateway";
import type { ShardArgs } from "../components/shard";
import type { ShardPairArgs } from "../components/shard-pair";
import { milliseconds, seconds } from "../model/durations";
import type { ExporterConfig } from "../model/exporter-config";
import { hubName, PORTS, RULER_SHARD, serviceHost, shardName, type ReplicaLetter } from "../model/names";
import { CONTAINER_COMPONENTS, POD_COMPONENTS, type PodComponent } from "../model/parts";
import { quantity } from "../model/quantities";
import { ringVersion } from "../model/ring";
import type { Config } from "./config";
import { alertmanagerConfig } from "./alertmanager-config";
import { alertmanagerConfigurer, configManagerPlan, configManagerPuller } from "./config-manager-plan";
import { grafanaPlan } from "./grafana-plan";
import { rulerLeaf, shardLeaf } from "./leaf-plan";
import { monitoringPlan } from "./monitoring-plan";
import { networkPlan } from "./network-plan";
import { objectStoragePlan, type ObjectStoragePlan } from "./object-storage-plan";
import { prometheusConfig, prometheusFlags, sidecarFlags } from "./prometheus-plan";
import { outputs, type StackOutputs } from "./outputs";
import { queriedShards, type QueriedShard } from "./queried-shards";
import { querier, queryFrontend } from "./query-plan";
import { ruler } from "./ruler-plan";
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
  /** Absent in the single size, and where the config switches it off. */
  readonly queryFrontend?: QueryFrontendArgs;
  /** Absent in the single size, whose Prometheus evaluates the rules. */
  readonly ruler?: RulerArgs;
  /** Answers for what the Rulers recorded; sharded sizes only. */
  readonly rulerLeaf?: LeafArgs;
  /** Who is behind the Service `query`. */
  readonly answeredBy: Part;
  readonly exporter: ExporterArgs;
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
      ...(config.createThanos ? { leaf: shardLeaf(config, storage, shard) } : {}),
    })),
    ...(config.createThanos
      ? {
          querier: querier(config, queried),
          ruler: ruler(config, rules, storage),
          rulerLeaf: rulerLeaf(config, storage),
        }
      : {}),
    ...queryFrontend(config),
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
    answeredBy: answeredBy(config),
    exporter: { replicas: config.push.exporterReplicas, config: exporter },
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

function answeredBy(config: Config): Part {
  if (!config.createThanos) return { component: "prometheus", shard: 0, replica: "a" };
  return { component: config.query.frontend.enabled ? "query-frontend" : "querier" };
}

function hasComponent(config: Config, component: PodComponent): boolean {
  if (component === "querier" || component === "ruler" || component === "leaf") return config.createThanos;
  if (component === "query-frontend") return config.createThanos && config.query.frontend.enabled;
  if (component === "store" || component === "compactor") return config.objectStorage !== undefined;
  if (component === "monitoring") return config.monitoring.enabled;
  if (component === "configmanager") return config.configManager;
  return true;
}

function buildPlatform(config: Config, services: Readonly<Record<string, string>>): Platform {
  const { pullSecrets, ...images } = config.images;
  const load = {
    seriesPerShard: config.expectedSeriesPerShard,
    hubLimit: config.push.hubLimit,
    cacheBytes: quantity(config.query.frontend.cacheSize),
  };
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
  };
}
