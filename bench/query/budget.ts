/** How a run keeps to its time: every query gets a share, and repeats as often as that allows. */

import { COMPARED_RANGES, type BenchQuery } from "./query-set";

/** How much longer than a dashboard's panel a query takes, about: what its share of the time is weighed by. */
export function weightOf({ group, magmaRange, text }: Pick<BenchQuery, "group" | "magmaRange" | "text">): number {
  if (magmaRange === "1d") return 30;
  if (magmaRange !== undefined) return COMPARED_RANGES.includes(magmaRange) ? 8 : 5;
  // A selector without a metric's name reads every series.
  if (text.includes("({") && group === "dashboard") return 5;
  return group === "long ranges" || group === "quantiles" ? 4 : 1;
}

/** Time for measuring, in shares. What one query leaves is for those after it. */
export class Budget {
  #left: number;
  readonly #endsAt: number;

  /**
   * @param seconds Time for all queries together.
   * @param weights Weights of the queries that are to be measured.
   * @param now Clock, seconds.
   */
  constructor(
    seconds: number,
    weights: readonly number[],
    private readonly now: () => number,
  ) {
    this.#left = weights.reduce((sum, each) => sum + each, 0);
    this.#endsAt = now() + seconds;
  }

  /** The next query's: may another round begin that takes as long as the last one did, in seconds? */
  next(weight: number): (lastRound: number) => boolean {
    const share = (Math.max(0, this.#endsAt - this.now()) * weight) / Math.max(weight, this.#left);
    this.#left -= weight;
    const until = this.now() + share;
    return (lastRound) => this.now() + lastRound <= until;
  }
}
