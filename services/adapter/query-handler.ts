import type { AdapterConfig } from "../../model/adapter-config";
import type { AdapterMetrics } from "./adapter-metrics";
import { Answer } from "./answer";
import type { Budget } from "../plumbing/budget";
import { evaluate } from "./evaluate";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import type { Call } from "../plumbing/grpc-server";
import { wrongAtLeaf } from "./leaf-limits";
import type { LeafProxy } from "./leaf-proxy";
import { Experience } from "./experience";
import { decodeQuery, type QueryRequest } from "./messages";
import { needsOf, selectorsOf, type Needs } from "./needs";
import { takeTurns, type Turn } from "./replica-turns";
import { ProtobufError } from "../plumbing/protobuf";
import { route, type LeafReason, type RoutedQuery } from "./route";
import type { ShardWatch } from "./shard-watch";

/** What the handler works with. */
export interface QueryHandlerDeps {
  readonly config: AdapterConfig;
  readonly watch: ShardWatch;
  readonly proxy: LeafProxy;
  readonly metrics: AdapterMetrics;
  readonly budget: Budget;
}

/** A query in hand. */
interface Query {
  readonly call: Call;
  readonly request: QueryRequest;
  readonly needs: Needs | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

/** Answers Thanos' Query API: by one of the shard's own Prometheus where that is complete and fast, else by the leaf. */
export class QueryHandler {
  readonly #experience = new Experience();

  constructor(readonly deps: QueryHandlerDeps) {}

  async handle(call: Call): Promise<void> {
    const { metrics, watch } = this.deps;
    const startedAt = performance.now();
    let via = "nobody";
    try {
      const query = this.#read(call);
      await watch.known();
      const reason = await this.#byPrometheus(query);
      via = reason === undefined ? "prometheus" : "leaf";
      if (reason !== undefined) {
        metrics.leafReasons.add(1, { reason });
        const wrong = wrongAtLeaf(query.request.query, this.deps.config.replicaLabel);
        if (wrong !== undefined && !(wrong.needsSeries && (await this.#selectsNothing(query)))) {
          throw this.#refused(wrong.text, reason);
        }
        await this.deps.proxy.pass(call, query.deadline, query.needs);
      }
    } catch (error) {
      via = "nobody";
      throw error;
    } finally {
      metrics.queries.add(1, { via });
      metrics.seconds.observe((performance.now() - startedAt) / 1000, { via });
    }
  }

  #read(call: Call): Query {
    const { config } = this.deps;
    const now = Date.now();
    let request: QueryRequest;
    try {
      request = decodeQuery(call.request, call.path.endsWith("Range"), Math.floor(now / 1000));
    } catch (error) {
      if (error instanceof ProtobufError) throw new GrpcError(grpcStatus.invalidArgument, error.message);
      throw error;
    }
    // Thanos sends whole seconds only: less than one has become none.
    if (request.isRange && request.step < 1) {
      throw new GrpcError(grpcStatus.invalidArgument, "the step must be at least one second, in whole seconds");
    }
    const timeout = request.timeout > 0 ? Math.min(request.timeout, config.timeoutSeconds) : config.timeoutSeconds;
    const needs = needsOf(request.query, request.plan, {
      start: request.start * 1000,
      end: request.end * 1000,
      lookback: (request.lookback > 0 ? request.lookback : config.lookbackSeconds) * 1000,
    });
    return { call, request, needs, deadline: Math.min(now + timeout * 1000, call.deadline ?? Infinity) };
  }

  /** Sends the answer of a replica. Returns why there is none when the leaf is to be asked. */
  async #byPrometheus(query: Query): Promise<LeafReason | undefined> {
    const { watch, config } = this.deps;
    const { request, needs } = query;
    const routed: RoutedQuery = {
      needs,
      step: request.step,
      lookback: request.lookback > 0 ? request.lookback : config.lookbackSeconds,
      needsLeaf: this.#needsLeaf(request),
    };
    const plan = route(routed, watch.view());
    // Prometheus ends a query by itself when its time is over; the second is for one that hangs in the middle of its answer.
    return takeTurns(this.deps, query.call, plan, query.deadline + 1_000, (turn) =>
      this.#experience.remembering(request, () => this.#ask(query, turn)),
    );
  }

  async #ask({ call, request, needs, deadline }: Query, turn: Turn): Promise<void> {
    const { config, watch, budget, metrics } = this.deps;
    const answer = new Answer(budget);
    try {
      const peakPerStep = await evaluate(request, answer, {
        url: turn.url,
        signal: turn.signal,
        deadline,
        isCuttable: needs?.isPinned === false,
        peakPerStep: this.#experience.peakPerStep(request),
        hasAlternative: turn.hasAlternative,
        maxSamples: config.maxSamples,
        series: watch.seriesOf(turn.replica),
      });
      if (peakPerStep !== undefined) this.#experience.answered(request, peakPerStep);
      for (const message of answer.messages(request.batchSize)) await call.send(message);
      metrics.samples.add(answer.samples);
      metrics.infos.add(answer.infos);
    } finally {
      answer.release();
    }
  }

  /** Whether the leaf has nothing of what a query selects, as most of the Rulers': then its answer is right. */
  async #selectsNothing({ call, request, needs, deadline }: Query): Promise<boolean> {
    const selectors = selectorsOf(request.plan);
    if (needs === undefined || selectors === undefined) return false;
    for (const matchers of selectors) {
      if (await this.deps.proxy.finds(call, deadline, needs, matchers)) return false;
    }
    return true;
  }

  #refused(problem: string, reason: LeafReason): GrpcError {
    const text = `shard ${this.deps.config.shard}: ${problem} (no replica can answer alone: ${reason})`;
    return new GrpcError(grpcStatus.aborted, text);
  }

  #needsLeaf(request: QueryRequest): LeafReason | undefined {
    if (request.isRestricted || !request.deduplicates) return "restricted";
    // Series of the shard's Prometheus have no replica label of ours; another label would have to be taken off.
    if (request.replicaLabels.some((label) => label !== this.deps.config.replicaLabel)) return "other replica labels";
    return this.#experience.reasonForLeaf(request);
  }
}
