import type { Budget } from "../plumbing/budget";
import type { Call } from "../plumbing/grpc-server";
import { Share } from "./answer";
import { Experience } from "./experience";
import { QueryFailure, type RequestOptions } from "./prometheus-client";
import { takeTurns, type ReplicaTurnsDeps } from "./replica-turns";
import { route, type LeafReason } from "./route";

/** A question which series there are. */
export interface SeriesQuestion {
  /** Equal for questions that differ in their range only. */
  readonly text: string;
  /** Milliseconds since the epoch, both included. */
  readonly oldest: number;
  readonly newest: number;
  /** Something that only a leaf can do for it. */
  readonly needsLeaf: LeafReason | undefined;
}

/** One replica's turn to tell. */
export interface SeriesTurn {
  /** Base URL of the replica. */
  readonly url: string;
  readonly options: RequestOptions;
  /** What its answer takes of the budget; given back when the turn ends. */
  readonly share: Share;
}

/** Asks one of the shard's own Prometheus after the other which series there are, where one alone can tell. */
export class SeriesTurns {
  readonly #experience = new Experience();

  constructor(
    readonly deps: ReplicaTurnsDeps,
    readonly budget: Budget,
  ) {}

  /**
   * @param deadline Milliseconds since the epoch.
   * @param ask As for `takeTurns`.
   * @returns Why there is no answer when the leaf is to be asked.
   * @throws GrpcError
   */
  async take(
    call: Call,
    { text, oldest, newest, needsLeaf }: SeriesQuestion,
    deadline: number,
    ask: (turn: SeriesTurn) => Promise<void>,
  ): Promise<LeafReason | undefined> {
    const asked = { query: text, start: oldest / 1000, end: newest / 1000 };
    const needs = { oldest, newest, isPinned: false, hasInstantSelector: false };
    const routed = { needs, step: 0, lookback: 0, needsLeaf: needsLeaf ?? this.#experience.reasonForLeaf(asked) };
    return takeTurns(this.deps, call, route(routed, this.deps.watch.view()), deadline, (turn) =>
      this.#experience.remembering(asked, async () => {
        const left = deadline - Date.now();
        if (left <= 0) throw new QueryFailure("timeout", "no time left to ask Prometheus");
        const share = new Share(this.budget);
        try {
          // Prometheus answers when it has found all.
          const options = { signal: turn.signal, firstByte: turn.hasAlternative ? left / 2 : left };
          await ask({ url: turn.url, options, share });
        } finally {
          share.release();
        }
      }),
    );
  }
}
