/** Where a gateway's series were over time, and what that may do to `increase`. Pure. */

import type { Point } from "../promql-math";
import { increase } from "../promql-math";

/** From `at` (ms) on, a gateway has series on a shard that had none at the step before. */
export interface Arrival {
  readonly at: number;
  /** The shard had series of it earlier in the run: it came back. */
  readonly back: boolean;
}

/** The moves of a gateway, from the shards that have its series at each step (ascending). */
export function arrivalsOf(
  steps: readonly { readonly at: number; readonly shards: readonly string[] }[],
): readonly Arrival[] {
  const seen = new Set<string>();
  let before: readonly string[] = [];
  const arrivals: Arrival[] = [];
  for (const { at, shards } of steps) {
    if (shards.length === 0) continue;
    for (const shard of shards) {
      if (before.length > 0 && !before.includes(shard)) arrivals.push({ at, back: seen.has(shard) });
      seen.add(shard);
    }
    before = shards;
  }
  return arrivals;
}

/** Bounds of a gateway's `increase` while its series are on one shard each, and what one move may cost. */
export interface IncreaseBounds {
  /** What the counters really gained between the window's samples. */
  readonly gained: number;
  /** The same with Prometheus' extrapolation, which is shorter for a counter that is near zero. */
  readonly least: number;
  /** With the extrapolation of a Thanos Querier in range queries, to which no counter is near zero after a reset. */
  readonly most: number;
  /** The most that the counters gained between two pushes of the window. */
  readonly perPush: number;
}

function gains(points: readonly Point[]): readonly number[] {
  return points.slice(1).map(([, value], index) => {
    const before = points[index]?.[1] ?? 0;
    return value < before ? value : value - before;
  });
}

/** From the points of each series in (end - range, end]. */
export function increaseBounds(series: readonly (readonly Point[])[], end: number, range: number): IncreaseBounds {
  let gainedInAll = 0;
  let least = 0;
  let most = 0;
  let perPush = 0;
  for (const points of series) {
    const gained = gains(points);
    gainedInAll += gained.reduce((total, gain) => total + gain, 0);
    least += increase(points, end, range) ?? 0;
    most += increase(points, end, range, "alike") ?? 0;
    perPush += Math.max(0, ...gained);
  }
  return { gained: gainedInAll, least, most, perPush };
}

/**
 * Whether an answered `increase` is right: exact without a move. For each move in the window it may be too small by one push
 * interval's increase, which neither shard saw, and too large by two: each part is extrapolated by itself, by up to 1.1 of
 * its intervals at either end, and a part may have grown faster than the whole (the worst found is 1.73). undefined after a return to an earlier shard within the window: that shard's own counter spans
 * the time in between, which the other shard counts too, so the answer is too large by what was gained there.
 */
export function increaseIsRight(
  answered: number,
  bounds: IncreaseBounds,
  arrivals: readonly Arrival[],
  tolerance: number,
): boolean | undefined {
  const { gained, least, most, perPush } = bounds;
  const slack = tolerance * Math.abs(most);
  if (arrivals.length === 0) return answered >= least - slack && answered <= most + slack;
  if (arrivals.some(({ back }) => back)) return undefined;
  const perMove = perPush * arrivals.length;
  return answered >= gained - perMove - slack && answered <= most + 2 * perMove + slack;
}
