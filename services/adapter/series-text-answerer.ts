import type { Budget } from "../plumbing/budget";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import type { Call } from "../plumbing/grpc-server";
import { decodeSeriesQuery, hasLabelText, listTextOf, type SeriesQuery } from "../plumbing/series-text";
import { LeafNeeded } from "./answer";
import { bytesOf, ReplicaFailure } from "./prometheus-client";
import type { ReplicaTurnsDeps } from "./replica-turns";
import type { LeafReason } from "./route";
import { seriesBounds } from "./series-request";
import { SeriesTurns, type SeriesTurn } from "./series-turns";

/** Bytes of one message: the next one is made while it is sent. */
const messageSize = 256 * 1024;

/**
 * Answers which series there are with the text of one of the shard's own Prometheus. What would have to be looked into, or
 * is for the leaf, is refused with FAILED_PRECONDITION: the root asks for it in Thanos' way.
 */
export class SeriesTextAnswerer {
  readonly #turns: SeriesTurns;

  constructor(
    readonly deps: ReplicaTurnsDeps,
    budget: Budget,
  ) {
    this.#turns = new SeriesTurns(deps, budget);
  }

  /**
   * Sends the answer.
   * @param deadline Milliseconds since the epoch.
   * @throws GrpcError, ProtobufError
   */
  async answer(call: Call, deadline: number): Promise<void> {
    const query = decodeSeriesQuery(call.request);
    const { oldest, newest, matches, limit } = query;
    const text = `${matches.join(" ")} ${String(limit)}`;
    const question = { text, oldest, newest, needsLeaf: this.#needsLeaf(query) };
    const reason = await this.#turns.take(call, question, deadline, (turn) => this.#ask(call, query, turn));
    if (reason !== undefined) throw new GrpcError(grpcStatus.failedPrecondition, `only the leaf can answer: ${reason}`);
  }

  async #ask(call: Call, query: SeriesQuery, { url, options, share }: SeriesTurn): Promise<void> {
    const form = new URLSearchParams(seriesBounds(query));
    for (const match of query.matches) form.append("match[]", match);
    const { status, body } = await bytesOf(url, "/api/v1/series", form, options, (bytes) => share.take(bytes));
    // It refuses what no leaf answers either: let the root say so.
    if (status === 400) throw new LeafNeeded("not PromQL of Prometheus");
    const found = listTextOf(body);
    if (found === "truncated") throw new LeafNeeded("truncated");
    if (found === "other") throw new ReplicaFailure(`${url}/api/v1/series: status ${String(status)}: no series`);
    const { list } = found;
    // It was pushed so: the leaf takes it off.
    if (hasLabelText(list, this.deps.config.replicaLabel)) throw new LeafNeeded("other replica labels");
    for (let at = 0; at < list.length; at += messageSize) await call.send(list.subarray(at, at + messageSize));
  }

  #needsLeaf({ matches }: SeriesQuery): LeafReason | undefined {
    // There it selects replicas, before their series are merged. A name may be written with escapes, too.
    const isRestricted = matches.some((match) => match.includes(this.deps.config.replicaLabel) || match.includes("\\"));
    return isRestricted ? "restricted" : undefined;
  }
}
