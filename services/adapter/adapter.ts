import type { AdapterConfig } from "../../model/adapter-config";
import { AdapterMetrics } from "./adapter-metrics";
import { ApiHandler } from "./api-handler";
import { Budget } from "../plumbing/budget";
import { GrpcServer, type Call, type Handler } from "../plumbing/grpc-server";
import { LeafClient } from "./leaf-client";
import { LeafProxy } from "./leaf-proxy";
import { completeness, encodeInfo } from "./messages";
import { varintField } from "../plumbing/protobuf";
import { QueryHandler } from "./query-handler";
import { SERIES_TEXT } from "../plumbing/series-text";
import { SeriesAnswerer } from "./series-answerer";
import { SeriesTextAnswerer } from "./series-text-answerer";
import { ShardWatch } from "./shard-watch";

/** Bytes of answers that may be put together at a time, of all queries: larger ones go to the leaf meanwhile. */
const bufferLimit = 96 * 1024 * 1024;

/** `HealthCheckResponse.status` of grpc.health.v1. */
const serving = varintField(1, 1);
const notServing = varintField(1, 2);

/** The adapter: a leaf to Thanos, made of one shard's own Prometheus and its leaf Querier. */
export interface Adapter {
  readonly server: GrpcServer;
  /** Own metrics, text format 0.0.4. */
  readonly metrics: () => string;
  /** From now on health checks fail. */
  readonly drain: () => void;
  readonly stop: () => void;
}

/** Makes an adapter that does not listen yet. */
export function createAdapter(config: AdapterConfig): Adapter {
  const metrics = new AdapterMetrics();
  const watch = new ShardWatch(config);
  const leaf = new LeafClient(config.leaf);
  const budget = new Budget(bufferLimit);
  const proxy = new LeafProxy({ config, leaf, metrics, view: () => watch.view() });
  const queries = new QueryHandler({ config, watch, proxy, metrics, budget });
  // From configuration alone: a root never forgets this shard, and never takes its history for shorter than it is.
  const info = encodeInfo({ cluster: config.cluster, shard: config.shard });
  let isDraining = false;
  const others = new ApiHandler({
    config,
    watch,
    proxy,
    metrics,
    series: new SeriesAnswerer({ config, watch, metrics }, budget),
    seriesText: new SeriesTextAnswerer({ config, watch, metrics }, budget),
  });
  const counted =
    (handler: Handler): Handler =>
    async (call: Call) => {
      metrics.inFlight.add(1);
      try {
        await handler(call);
      } finally {
        metrics.inFlight.add(-1);
      }
    };
  const query: Handler = (call) => queries.handle(call);
  const other: Handler = (call) => others.handle(call);
  const handlers = new Map<string, Handler>([
    ...[...completeness.keys()].map(
      (path) => [path, counted(path.startsWith("/thanos.Query/") ? query : other)] as const,
    ),
    [SERIES_TEXT, counted(other)],
    ["/thanos.info.Info/Info", (call) => call.send(info)],
    ["/grpc.health.v1.Health/Check", (call) => call.send(isDraining ? notServing : serving)],
  ]);
  return {
    server: new GrpcServer(handlers),
    metrics: () => metrics.render(watch.view(), budget.used),
    drain: () => (isDraining = true),
    stop: () => {
      watch.stop();
      leaf.close();
    },
  };
}
