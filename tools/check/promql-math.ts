/** Prometheus' own arithmetic, so that answers can be recomputed from the ledger. Sources: promql/functions.go and promql/quantile.go of 3.14. */

/** A sample: milliseconds and value. */
export type Point = readonly [timestamp: number, value: number];

/** Kahan-Neumaier sum, as Prometheus sums. */
export function sum(values: Iterable<number>): number {
  let total = 0;
  let lost = 0;
  for (const value of values) {
    const next = total + value;
    if (!Number.isFinite(next)) lost = 0;
    else if (Math.abs(total) >= Math.abs(value)) lost += total - next + value;
    else lost += value - next + total;
    total = next;
  }
  return total + lost;
}

/**
 * `increase` of a counter over (end - range, end], with extrapolation; undefined with fewer than two samples.
 * `points` are those of the window, in order of time; `range` in ms. `nearZero` "alike" extrapolates a counter that is
 * near zero like any other, as a Thanos Querier does in range queries, which adds resets up over all it reads.
 */
export function increase(
  points: readonly Point[],
  end: number,
  range: number,
  nearZero: "less" | "alike" = "less",
): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  let result = last[1] - first[1];
  for (let index = 1; index < points.length; index++) {
    const previous = points[index - 1]?.[1] ?? 0;
    if ((points[index]?.[1] ?? 0) < previous) result += previous;
  }
  let toStart = (first[0] - (end - range)) / 1_000;
  let toEnd = (end - last[0]) / 1_000;
  const sampled = (last[0] - first[0]) / 1_000;
  const average = sampled / (points.length - 1);
  const threshold = average * 1.1;
  if (toStart >= threshold) toStart = average / 2;
  if (nearZero === "less" && result > 0 && first[1] >= 0) toStart = Math.min(toStart, sampled * (first[1] / result));
  if (toEnd >= threshold) toEnd = average / 2;
  return result * ((sampled + toStart + toEnd) / sampled);
}

/** One cumulative bucket of a classic histogram. */
export interface Bucket {
  readonly upperBound: number;
  readonly count: number;
}

/** `histogram_quantile` over classic buckets; NaN where Prometheus gives NaN. */
export function bucketQuantile(q: number, buckets: readonly Bucket[]): number {
  if (Number.isNaN(q)) return NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  const sorted = [...buckets].sort((left, right) => left.upperBound - right.upperBound);
  if (sorted.length < 2 || sorted.at(-1)?.upperBound !== Infinity) return NaN;
  let floor = 0;
  const counts = sorted.map(({ count }) => {
    // Rounding errors below 1e-12 and any decrease are flattened, as Prometheus does.
    if (count - floor > 1e-12 * (Math.abs(count) + Math.abs(floor))) floor = count;
    return floor;
  });
  const observations = counts.at(-1) ?? 0;
  if (observations === 0) return NaN;
  const rank = q * observations;
  const found = counts.slice(0, -1).findIndex((count) => count >= rank);
  if (found < 0) return sorted.at(-2)?.upperBound ?? NaN;
  const end = sorted[found]?.upperBound ?? NaN;
  if (found === 0 && end <= 0) return end;
  const start = found === 0 ? 0 : (sorted[found - 1]?.upperBound ?? 0);
  const below = found === 0 ? 0 : (counts[found - 1] ?? 0);
  return start + (end - start) * ((rank - below) / ((counts[found] ?? 0) - below));
}
