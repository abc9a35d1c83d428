/** How a range query is cut by steps, so that no part is more than Prometheus lets through. Pure. */

/** Prometheus refuses queries with more steps than this (web/api/v1/api.go). */
const maxSteps = 11_000;

/** What a query is known to need, from an earlier part or an earlier time. */
export interface Appetite {
  /** Samples held at a time, per step; undefined: not known. */
  readonly peakPerStep: number | undefined;
}

/** What a part may need. */
export interface CutLimits {
  /** `query.max-samples`; a part is expected to need half of it. */
  readonly maxSamples: number;
  /** Active series of the replica: what a query whose appetite is not known may need for each step. */
  readonly series: number | undefined;
}

/** Steps of the next part. */
export function stepsOfPart(remaining: number, appetite: Appetite, { maxSamples, series }: CutLimits): number {
  const perStep = Math.max(1, appetite.peakPerStep ?? series ?? 1);
  return Math.max(1, Math.min(remaining, maxSteps, Math.floor(maxSamples / 2 / perStep)));
}

/** Number of steps of a range, both ends included; times and step in the same unit. */
export function stepsOf(start: number, end: number, step: number): number {
  return end < start ? 0 : Math.floor((end - start) / step) + 1;
}
