import type { Budget } from "../plumbing/budget";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import type { Call } from "../plumbing/grpc-server";
import { decodeSeriesQuery, hasLabelText, listTextOf, type SeriesQuery } from "../plumbing/series-text";
import { LeafNeeded, Share } from "./answer";
import { Experience } from "./experience";
import { bytesOf, QueryFailure, ReplicaFailure } from "./prometheus-client";
import { takeTurns, type ReplicaTurnsDeps, type Turn } from "./replica-turns";
import { route, type LeafReason } from "./route";
import { seriesBounds } from "./series-request";

/** Bytes of one message: the next one is made while it is sent. */
const messageSize = 256 * 1024;

/**
 * Answers which series there are with the text of one of the shard's own Prometheus. What would have to be looked into, or
 * is for the leaf, is refused with FAILED_PRECONDITION: the root asks for it in Thanos' way.
 */
export class SeriesTextAnswerer {
  readonly #experience = new Experience();

  constructor(
    readonly deps: ReplicaTurnsDeps,
    readonly budget: Budget,
  ) {}

  /**
   * Sends the answer.
   * @param deadline Milliseconds since the epoch.
   * @throws GrpcError, ProtobufError
   */
  async answer(call: Call, deadline: number): Promise<void> {
    const query = decodeSeriesQuery(call.request);
    const { oldest, newest } = query;
    const asked = {
      query: `${query.matches.join(" ")} ${String(query.limit)}`,
      start: oldest / 1000,
      end: newest / 1000,
    };
    const needs = { oldest, newest, isPinned: false, hasInstantSelector: false };
    const needsLeaf = this.#needsLeaf(query) ?? this.#experience.reasonForLeaf(asked);
    const plan = route({ needs, step: 0, lookback: 0, needsLeaf }, this.deps.watch.view());
    const reason = await takeTurns(this.deps, call, plan, deadline, (turn) =>
      this.#experience.remembering(asked, () => this.#ask(call, query, turn, deadline)),
    );
    if (reason !== undefined) throw new GrpcError(grpcStatus.failedPrecondition, `only the leaf can answer: ${reason}`);
  }

  async #ask(call: Call, query: SeriesQuery, turn: Turn, deadline: number): Promise<void> {
    const left = deadline - Date.now();
    if (left <= 0) throw new QueryFailure("timeout", "no time left to ask Prometheus");
    const share = new Share(this.budget);
    try {
      const options = { signal: turn.signal, firstByte: turn.hasAlternative ? left / 2 : left };
      const form = [
        ...query.matches.map((match) => ["match[]", match] as const),
        ...Object.entries(seriesBounds(query)),
      ];
      const { status, body } = await bytesOf(turn.url, "/api/v1/series", form, options, (bytes) => share.take(bytes));
      // It refuses what no leaf answers either: let the root say so.
      if (status === 400) throw new LeafNeeded("not PromQL of Prometheus");
      const found = listTextOf(body);
      if (found === "truncated") throw new LeafNeeded("truncated");
      if (found === "other") throw new ReplicaFailure(`${turn.url}/api/v1/series: status ${String(status)}: no series`);
      const { list } = found;
      // It was pushed so: the leaf takes it off.
      if (hasLabelText(list, this.deps.config.replicaLabel)) throw new LeafNeeded("other replica labels");
      for (let at = 0; at < list.length; at += messageSize) await call.send(list.subarray(at, at + messageSize));
    } finally {
      share.release();
    }
  }

  #needsLeaf({ matches }: SeriesQuery): LeafReason | undefined {
    // There it selects replicas, before their series are merged. A name may be written with escapes, too.
    const isRestricted = matches.some((match) => match.includes(this.deps.config.replicaLabel) || match.includes("\\"));
    return isRestricted ? "restricted" : undefined;
  }
}
