import type { Flags } from "../components/kit/flags";
import { QUERIER_PATHS } from "../components/kit/paths";
import { toYaml } from "../components/kit/yaml";
import type { QuerierArgs } from "../components/querier";
import type { QueryFrontendArgs } from "../components/query-frontend";
import { goDuration, milliseconds } from "../model/durations";
import { leafName, NAMES, PIPELINE_LABELS, PORTS, RULER_SHARD, serviceHost } from "../model/names";
import { quantity } from "../model/quantities";
import type { Config } from "./config";
import { CONCURRENT_SELECTS } from "./prometheus-plan";
import { replicaLetters, type QueriedShard } from "./queried-shards";

/** Longer queries are logged with their text. */
const SLOW_QUERY = "10s";

/** Connections that a frontend keeps to the roots: with fewer each burst opens new ones, 10-20 % of latency. */
const IDLE_CONNECTIONS = 100;

/** For how long a request for labels without a range looks back. */
const LABELS_RANGE = "24h";

/**
 * Calls of an adapter that is just going away are tried again. Thanos' own default has the policy outside of
 * `methodConfig`, where gRPC does not look for it (thanos v0.42.4 pkg/extgrpc/client.go).
 */
const SERVICE_CONFIG = JSON.stringify({
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: "0.1s",
        maxBackoff: "0.5s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
});

/** What every Querier has, root or leaf: one value for each, because a query is evaluated in both. */
export function querierFlags({ query }: Pick<Config, "query">): Flags {
  return {
    // Replicas of a pushed shard, and a disk and the bucket, hold the same samples; the default func leaves holes where
    // it goes from one to the other.
    "deduplication.func": "chain",
    "enable-auto-gomemlimit": true,
    "exemplar.partial-response": false,
    "metric-metadata.partial-response": false,
    "query.default-evaluation-interval": query.evaluationInterval,
    "query.lookback-delta": query.lookbackDelta,
    "query.max-concurrent": query.maxConcurrent,
    "query.max-concurrent-select": CONCURRENT_SELECTS,
    // Thanos' default is true: a dead shard would make a smaller number out of an error.
    "query.partial-response": false,
    "query.replica-label": PIPELINE_LABELS.replica,
    "query.timeout": query.timeout,
    "rule.partial-response": false,
    "store.response-timeout": query.timeout,
    "target.partial-response": false,
  };
}

/** The root Queriers: in distributed mode over exactly one endpoint per shard, and one for the Rulers. */
export function querier(config: Config, queried: readonly QueriedShard[]): QuerierArgs {
  const endpoints = [...queried.map(({ index }) => index), RULER_SHARD].map((shard) => ({
    shard: String(shard),
    address: `${serviceHost(leafName(shard), config.namespace.name)}:${String(PORTS.thanosGrpc)}`,
  }));
  return {
    replicas: config.query.replicas,
    flags: {
      ...querierFlags(config),
      "endpoint.sd-config-file": `${QUERIER_PATHS.config}/${QUERIER_PATHS.endpoints}`,
      // Nobody asks a root by gRPC, and by HTTP only the gate in its pod.
      "grpc-address": `127.0.0.1:${String(PORTS.thanosGrpc)}`,
      "http-address": `127.0.0.1:${String(PORTS.rootHttp)}`,
      "query.mode": "distributed",
      "query.partition-label": PIPELINE_LABELS.shard,
    },
    endpoints: {
      // Strict: the only mode in which a shard that fails is an error instead of a smaller answer. A group: others can't
      // have a service_config.
      endpoints: endpoints.map(({ address }) => ({
        address,
        group: true,
        service_config: SERVICE_CONFIG,
        strict: true,
      })),
    },
    expected: { endpoints },
  };
}

/**
 * The query frontend, or nothing where the config switches it off. What is younger than the out-of-order window is never
 * cached: samples may still come. Answers with warnings aren't either, and partial ones don't exist.
 */
export function queryFrontend(config: Config): { readonly queryFrontend?: QueryFrontendArgs } {
  const { frontend } = config.query;
  if (!config.createThanos || !frontend.enabled) return {};
  const cache = toYaml({
    type: "IN-MEMORY",
    config: { max_size: String(quantity(frontend.cacheSize)), validity: "0s" },
  });
  const fresh = goDuration(milliseconds(config.outOfOrderWindow));
  return {
    queryFrontend: {
      replicas: replicaLetters(config).length,
      flags: {
        "cache-compression-type": "snappy",
        "enable-auto-gomemlimit": true,
        "http-address": `0.0.0.0:${String(PORTS.thanosHttp)}`,
        "labels.default-time-range": LABELS_RANGE,
        "labels.partial-response": false,
        "labels.response-cache-config": cache,
        "labels.response-cache-max-freshness": fresh,
        "labels.split-interval": LABELS_RANGE,
        "query-frontend.downstream-tripper-config": toYaml({ max_idle_conns_per_host: IDLE_CONNECTIONS }),
        "query-frontend.downstream-url": `http://${serviceHost(NAMES.querier, config.namespace.name)}:${String(PORTS.thanosHttp)}`,
        "query-frontend.log-queries-longer-than": SLOW_QUERY,
        // Without it, points of two ranges with different phases would be mixed: the cache's key has only the step.
        "query-range.align-range-with-step": true,
        "query-range.partial-response": false,
        "query-range.response-cache-config": cache,
        "query-range.response-cache-max-freshness": fresh,
        "query-range.split-interval": goDuration(milliseconds(frontend.splitInterval)),
      },
    },
  };
}
