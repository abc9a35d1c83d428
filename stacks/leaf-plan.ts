import type { Flags } from "../components/kit/flags";
import { LEAF_PATHS } from "../components/kit/paths";
import type { LeafArgs } from "../components/leaf";
import type { AdapterConfig } from "../model/adapter-config";
import { milliseconds, seconds } from "../model/durations";
import {
  NAMES,
  PIPELINE_LABELS,
  PORTS,
  prometheusName,
  RULER_SHARD,
  serviceHost,
  sidecarName,
  storeName,
} from "../model/names";
import type { Config } from "./config";
import type { ObjectStoragePlan } from "./object-storage-plan";
import { RULER_REPLICAS } from "./outputs";
import { scrapeTimeout } from "./prometheus-plan";
import { replicaLetters, type QueriedShard } from "./queried-shards";
import { querierFlags } from "./query-plan";

/** One entry of a leaf's endpoint file. */
interface LeafEndpoint {
  readonly address: string;
  readonly strict?: true;
}

/** What is behind one leaf. */
interface Behind {
  readonly shard: LeafArgs["shard"];
  readonly replicas: AdapterConfig["replicas"];
  readonly endpoints: readonly LeafEndpoint[];
}

/** The leaf of one shard, in the ring or retired. Nothing in it depends on other shards. */
export function shardLeaf(
  config: Config,
  storage: ObjectStoragePlan | undefined,
  { index, replicas }: QueriedShard,
): LeafArgs {
  const host = (service: string) => serviceHost(service, config.namespace.name);
  return leaf(config, storage, {
    shard: index,
    replicas: replicas.map((replica) => ({
      name: replica,
      url: `http://${host(prometheusName(index, replica))}:${String(PORTS.gate)}`,
    })),
    // Not strict: while one replica is down the other one answers. The adapter refuses an answer that misses something.
    endpoints: replicas.map((replica) => ({
      address: `${host(sidecarName(index, replica))}:${String(PORTS.thanosGrpc)}`,
    })),
  });
}

/** The leaf of the Rulers: each by itself, so that an answer holds what any of them recorded. */
export function rulerLeaf(config: Config, storage: ObjectStoragePlan | undefined): LeafArgs {
  return leaf(config, storage, {
    shard: RULER_SHARD,
    replicas: Array.from({ length: RULER_REPLICAS }, (_, pod) => ({ name: `${NAMES.ruler}-${String(pod)}` })),
    endpoints: [{ address: `dns+${serviceHost(NAMES.ruler, config.namespace.name)}:${String(PORTS.thanosGrpc)}` }],
  });
}

function leaf(
  config: Config,
  storage: ObjectStoragePlan | undefined,
  { shard, replicas, endpoints }: Behind,
): LeafArgs {
  const store: LeafEndpoint = {
    address: `${serviceHost(storeName(shard), config.namespace.name)}:${String(PORTS.thanosGrpc)}`,
    // Nobody else has what is in the bucket only.
    strict: true,
  };
  return {
    shard,
    replicas: replicaLetters(config).length,
    flags: flags(config),
    endpoints: { endpoints: [...endpoints, ...(storage === undefined ? [] : [store])] },
    adapter: {
      cluster: config.clusterLabel,
      shard: String(shard),
      replicaLabel: PIPELINE_LABELS.replica,
      replicas,
      leaf: `http://127.0.0.1:${String(PORTS.leafGrpc)}`,
      hasBucket: storage !== undefined,
      retentionSeconds: seconds(storage?.localRetention ?? config.retention.sharded),
      lookbackSeconds: seconds(config.query.lookbackDelta),
      timeoutSeconds: seconds(config.query.timeout),
      maxSamples: config.query.maxSamples,
      settleSeconds:
        seconds(config.push.scrapeInterval) + Math.ceil(scrapeTimeout(milliseconds(config.push.scrapeInterval)) / 1000),
      maxAgeSeconds: seconds(config.outOfOrderWindow),
      maxFutureSeconds: seconds(config.push.limits.maxFuture),
    },
  };
}

function flags(config: Config): Flags {
  return {
    ...querierFlags(config),
    "endpoint.sd-config-file": `${LEAF_PATHS.config}/${LEAF_PATHS.endpoints}`,
    // Others reach it through the adapter.
    "grpc-address": `127.0.0.1:${String(PORTS.leafGrpc)}`,
    "http-address": `0.0.0.0:${String(PORTS.thanosHttp)}`,
    // That of the shard's Prometheus, so that it makes no difference which of them answers.
    "query.promql-engine": "prometheus",
  };
}
