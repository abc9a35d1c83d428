/**
 * Frozen names and ports. Renaming one of them loses volumes or breaks what is deployed, so
 * test/unit/model/names.test.ts holds the whole table.
 */

/** Pulumi project, config namespace, prefix of type tokens and of our own Kubernetes label keys. */
export const PROJECT = "scaled-prometheus";

/** The replicas of a shard; `b` exists with high availability only. */
export type ReplicaLetter = "a" | "b";

/** Labels that tell series and blocks of the pipeline apart. */
export const PIPELINE_LABELS = {
  /** On every sample and in external_labels: the fixed name chosen on the first day. */
  cluster: "cluster",
  /** On every sample and in external_labels: "0", "1", ... */
  shard: "shard",
  /** In external_labels only; users' own `replica` labels must survive. */
  replica: "prometheus_replica",
} as const;

/** Value of the label `shard` on what the Ruler records. */
export const RULER_SHARD = "ruler" as const;

/** Series with the number of every write of an exporter to a shard (services/exporter/RING.md). */
export const BATCH_METRIC = "pipeline_push_batch";

/** Scrape job by which a Prometheus empties its hub. */
export const HUB_JOB = "hub";

/** Every port of the pipeline, in one place. */
export const PORTS = {
  /** Service `query`, in every size. */
  query: 9090,
  /** Gate in the Prometheus pod. */
  gate: 9090,
  /** Prometheus itself, on loopback. */
  prometheus: 9095,
  /** Probes and own metrics of our services (gate, exporter). */
  ops: 8080,
  /** Service `exporter`: pushes. */
  push: 9091,
  /** Edge hub: pushes, scrapes, `/internal`. */
  hub: 9091,
  /** StoreAPI and the other gRPC APIs of Thanos. */
  thanosGrpc: 10901,
  /** HTTP of Thanos parts; of a root Querier that of the gate in its pod. */
  thanosHttp: 10902,
  /** gRPC of a leaf Querier on loopback: others reach it through the adapter in its pod, which has `thanosGrpc`. */
  leafGrpc: 10911,
  /** HTTP of a root Querier, on loopback. */
  rootHttp: 10912,
  alertmanager: 9093,
  /** prometheus-configmanager's API for rules. */
  configManager: 9100,
  /** Its API for Alertmanager's configuration, in Alertmanager's pod. */
  alertmanagerConfigurer: 9101,
  /** rules-server: the rules that came over the API, for those who evaluate them. */
  managedRules: 9102,
  /** rules-server's `/-/reload`, on loopback: what prometheus-configmanager takes for Prometheus. */
  managedReload: 9103,
  /** Probes and own metrics of rules-puller, whose pods have another service of ours on `ops`. */
  pullerOps: 8081,
} as const;

/** Objects of which every size has at most one. */
export const NAMES = {
  query: "query",
  /** Deployment of the root Queriers, and the Service of those that are ready. */
  querier: "querier",
  /** Headless Service that names every root Querier. */
  querierPods: "querier-pods",
  /** Deployment of the query frontend. */
  queryFrontend: "query-frontend",
  exporter: "exporter",
  alertmanager: "alertmanager",
  /** The one Compactor, of stacks with object storage. */
  compactor: "compactor",
  /** Secret with the address of the bucket and the credentials, content-named. */
  objectStorage: "object-storage",
  /** StatefulSet and governing Service of the Ruler pair; sharded sizes only. */
  ruler: "ruler",
  /** StatefulSet and Service of the Prometheus that watches the pipeline. */
  monitoring: "monitoring",
  /** StatefulSet and Service of prometheus-configmanager; with `configManager` only. */
  configManager: "configmanager",
  /** Secret with what Alertmanager's configuration starts as; with `configManager` only. */
  alertmanagerSeed: "alertmanager-seed",
  /** Headless Services through which it finds every pod of a part with replicas. */
  exporterScrape: "exporter-scrape",
  queryFrontendScrape: "query-frontend-scrape",
  /** ConfigMap that a Grafana in the namespace reads its data sources from. */
  datasources: "grafana-datasources",
  /** Claim template of every StatefulSet. */
  claimTemplate: "data",
} as const;

/** `shard-0` */
export function shardName(index: number): string {
  return `shard-${String(index)}`;
}

/** `shard-0-a` */
export function replicaName(index: number, replica: ReplicaLetter): string {
  return `${shardName(index)}-${replica}`;
}

/** `prometheus-shard-0-a`: StatefulSet and its governing Service. */
export function prometheusName(index: number, replica: ReplicaLetter): string {
  return `prometheus-${replicaName(index, replica)}`;
}

/** `data-prometheus-shard-0-a-0`: the claim that a StatefulSet of one replica makes from its template. */
export function claimName(statefulSet: string): string {
  return `${NAMES.claimTemplate}-${statefulSet}-0`;
}

/** `hub-shard-0-a`: Deployment and the Service for pushes. */
export function hubName(index: number, replica: ReplicaLetter): string {
  return `hub-${replicaName(index, replica)}`;
}

/** `hub-shard-0-a-scrape`: headless Service through which only the hub's own Prometheus finds it. */
export function hubScrapeName(index: number, replica: ReplicaLetter): string {
  return `${hubName(index, replica)}-scrape`;
}

/** `sidecar-shard-0-a` */
export function sidecarName(index: number, replica: ReplicaLetter): string {
  return `sidecar-${replicaName(index, replica)}`;
}

/** `prometheus-shard-0`, `hub-shard-0`: the disruption budget over both replicas of a shard. */
export function pairName(component: "prometheus" | "hub", index: number): string {
  return `${component}-${shardName(index)}`;
}

/** `store-shard-0`, or `store-ruler`: StatefulSet and Service of the Store Gateway of what has that `shard` label. */
export function storeName(shard: number | typeof RULER_SHARD): string {
  return `store-${shard === RULER_SHARD ? shard : shardName(shard)}`;
}

/** `store-shard-0-pods`: the headless Service that governs the StatefulSet. */
export function storePodsName(shard: number | typeof RULER_SHARD): string {
  return `${storeName(shard)}-pods`;
}

/** `leaf-shard-0`, or `leaf-ruler`: Deployment of a shard's leaf Querier and adapter, and the Service that roots list. */
export function leafName(shard: number | typeof RULER_SHARD): string {
  return `leaf-${shard === RULER_SHARD ? shard : shardName(shard)}`;
}

/** `leaf-shard-0-pods`: the headless Service that names its pods. */
export function leafPodsName(shard: number | typeof RULER_SHARD): string {
  return `${leafName(shard)}-pods`;
}

/** `dashboard-pipeline`: ConfigMap with one dashboard. */
export function dashboardMapName(dashboard: string): string {
  return `dashboard-${dashboard}`;
}

/**
 * DNS name of a Service that resolves in every pod of the cluster.
 * Without the cluster's domain, which is not `cluster.local` everywhere: the pod's search list adds it.
 */
export function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc`;
}
