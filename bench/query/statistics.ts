/** The arithmetic of the report: medians, spreads, critical paths, and the figures of the RESULT line. */

/** The middle value; of an even number of values the mean of the two in the middle. NaN without values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** How far values lie apart: (largest - smallest) / median. */
export function spread(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** What one repetition of a sharded arm took, part by part, in seconds. */
export interface Parts {
  /** Each shard's whole endpoint answering alone, the others idle. */
  readonly shards: readonly number[];
  /** What puts the shards' answers together: the root with recorded answers, or our own merge. */
  readonly root: number;
}

/** What the arm would take if every shard had a machine of its own: the slowest shard, then the root. */
export function criticalPath({ shards, root }: Parts): number {
  return Math.max(0, ...shards) + root;
}

/** Medians of one query on N shards that the RESULT line is made from; undefined where an arm gave no answer. */
export interface Figures {
  readonly shards: number;
  /** Label of the range in Magma's table, e.g. `1m`; undefined for the other queries. */
  readonly magmaRange: string | undefined;
  readonly isPushable: boolean;
  /** Seconds on one Prometheus, wall clock. */
  readonly single: number | undefined;
  /** Critical paths in seconds. */
  readonly design: number | undefined;
  readonly direct: number | undefined;
  /** CPU seconds of all processes per query. */
  readonly singleCpu: number | undefined;
  readonly designCpu: number | undefined;
}

/** The RESULT line (design, section 12). */
export interface Result {
  readonly speedup: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly cpuRatio: number | null;
  readonly ofDirect: number | null;
}

/** Shard counts that speed-ups, CPU ratios and shares are given for. */
const RATED_SHARDS: readonly number[] = [2, 4, 8];
/** Queries shorter than this on one Prometheus have no CPU ratio: clock ticks are 10 ms. Seconds. */
export const SHORT_QUERY = 0.1;

const rounded = (value: number): number => Number(value.toFixed(2));

function ratio(numerator: number | undefined, denominator: number | undefined): number | undefined {
  return numerator === undefined || denominator === undefined || denominator === 0
    ? undefined
    : numerator / denominator;
}

function extreme(values: readonly (number | undefined)[], pick: (...all: number[]) => number): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : rounded(pick(...known));
}

/**
 * `speedup`: one Prometheus over the critical path, by range of Magma's query and N. `cpuRatio`: the largest over
 * pushable queries above 100 ms and N. `ofDirect`: the smallest share of the directly asked shards' speed, over ranges
 * to 12 h and N.
 */
export function resultOf(figures: readonly Figures[]): Result {
  const rated = figures.filter(({ shards }) => RATED_SHARDS.includes(shards));
  const speedup: Record<string, Record<string, number>> = {};
  for (const { magmaRange, shards, single, design } of rated) {
    const value = ratio(single, design);
    if (magmaRange === undefined || value === undefined) continue;
    (speedup[magmaRange] ??= {})[String(shards)] = rounded(value);
  }
  const pushable = rated.filter(({ isPushable, single }) => isPushable && single !== undefined && single > SHORT_QUERY);
  const upTo12h = rated.filter(({ magmaRange }) => magmaRange !== undefined && magmaRange !== "1d");
  return {
    speedup,
    cpuRatio: extreme(
      pushable.map(({ designCpu, singleCpu }) => ratio(designCpu, singleCpu)),
      Math.max,
    ),
    ofDirect: extreme(
      upTo12h.map(({ direct, design }) => ratio(direct, design)),
      Math.min,
    ),
  };
}
