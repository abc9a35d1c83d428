import type { AdapterConfig } from "../../model/adapter-config";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import type { Call } from "../plumbing/grpc-server";
import { ProtobufError } from "../plumbing/protobuf";
import type { AdapterMetrics } from "./adapter-metrics";
import type { LeafProxy } from "./leaf-proxy";
import { SERIES_TEXT } from "../plumbing/series-text";
import type { SeriesAnswerer } from "./series-answerer";
import type { SeriesTextAnswerer } from "./series-text-answerer";
import type { ShardWatch } from "./shard-watch";

/** What the handler works with. */
export interface ApiHandlerDeps {
  readonly config: AdapterConfig;
  readonly watch: ShardWatch;
  readonly proxy: LeafProxy;
  readonly metrics: AdapterMetrics;
  readonly series: SeriesAnswerer;
  readonly seriesText: SeriesTextAnswerer;
}

/** Answers everything of Thanos' APIs but queries: label sets by one of the shard's own Prometheus where that is complete, the rest by the leaf. */
export class ApiHandler {
  constructor(readonly deps: ApiHandlerDeps) {}

  async handle(call: Call): Promise<void> {
    const { config, watch, proxy, metrics } = this.deps;
    let code: number = grpcStatus.ok;
    let via = "nobody";
    try {
      await watch.known();
      const deadline = Math.min(Date.now() + config.timeoutSeconds * 1000, call.deadline ?? Infinity);
      const isAnswered = await this.#byPrometheus(call, deadline);
      if (!isAnswered) await proxy.pass(call, deadline, undefined);
      via = isAnswered ? "prometheus" : "leaf";
    } catch (error) {
      code = error instanceof GrpcError ? error.code : grpcStatus.internal;
      throw error;
    } finally {
      metrics.proxied.add(1, { method: call.path, code: String(code), via });
    }
  }

  async #byPrometheus(call: Call, deadline: number): Promise<boolean> {
    const { series, seriesText } = this.deps;
    if (call.path === SERIES_TEXT) {
      await seriesText.answer(call, deadline);
      return true;
    }
    if (call.path !== "/thanos.Store/Series") return false;
    try {
      return await series.answer(call, deadline);
    } catch (error) {
      // The leaf says what is wrong with the request.
      if (error instanceof ProtobufError) return false;
      throw error;
    }
  }
}
