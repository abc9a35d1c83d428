import type { Interval } from "./route";

/**
 * Which push batches a replica misses. Each push leaves the exporter's number in the series `pipeline_push_batch`; two
 * replicas that hold the same numbers in a window of time hold the same pushes. A few facts about a window tell that
 * without the numbers themselves.
 */

const factNames = ["count", "sum", "stdvar", "min", "max"] as const;

/** Facts about windows, by series (exporter and function) and the window's end in milliseconds. */
export type BatchWindows = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** PromQL for the facts about windows of some seconds; the function is in the label `fact`. */
export function batchQuery(cluster: string, shard: string, windowSeconds: number): string {
  const series = `pipeline_push_batch{cluster=${JSON.stringify(cluster)},shard=${JSON.stringify(shard)}}`;
  return factNames
    .map((fact) => `label_replace(${fact}_over_time(${series}[${String(windowSeconds)}s]),"fact","${fact}","","")`)
    .join(" or ");
}

/** Gaps of two replicas, in their order. */
export type Gaps = readonly [readonly Interval[], readonly Interval[]];

/**
 * Compares what two replicas hold. A replica is blamed only for windows that have settled on it: by the time given, or
 * because it has a number of the same exporter from the window after the next or later. A scrape takes all that its hub
 * has, so what was pushed to it more than a window before that number came with it or not at all.
 * @param window Length of the windows, milliseconds.
 * @param settled Up to when each replica has what was pushed, milliseconds since the epoch.
 */
export function compareBatches(
  one: BatchWindows,
  other: BatchWindows,
  window: number,
  settled: readonly [number, number] = [Infinity, Infinity],
): Gaps {
  const gaps: [Interval[], Interval[]] = [[], []];
  const countsOf = [...new Set([...one.keys(), ...other.keys()])].filter((key) => key.startsWith("count|"));
  for (const key of countsOf) {
    const ends = new Set([...(one.get(key)?.keys() ?? []), ...(other.get(key)?.keys() ?? [])]);
    const until = [
      Math.max(settled[0], lastEnd(one.get(key)) - 2 * window),
      Math.max(settled[1], lastEnd(other.get(key)) - 2 * window),
    ] as const;
    for (const end of ends) {
      const facts = [one, other].map((windows) => {
        const [count = 0, sum, stdvar, min = Infinity, max = -Infinity] = factNames.map((fact) =>
          windows.get(key.replace("count", fact))?.get(end),
        );
        return { count, sum, stdvar, min, max };
      }) as [Facts, Facts];
      const interval = { from: end - window, to: end };
      const isWhole = end <= until[0] && end <= until[1];
      if (end <= until[0] && lacksSome(facts[0], facts[1], isWhole)) gaps[0].push(interval);
      if (end <= until[1] && lacksSome(facts[1], facts[0], isWhole)) gaps[1].push(interval);
    }
  }
  return [merged(gaps[0]), merged(gaps[1])];
}

/** Up to when a replica's own numbers tell what it lacks of the other one's; Infinity: it has the newest of each exporter. */
export function toldUntil(mine: BatchWindows, theirs: BatchWindows, window: number): number {
  let until = Infinity;
  for (const [key, counts] of theirs) {
    const last = lastEnd(mine.get(key));
    if (last < lastEnd(counts)) until = Math.min(until, last - 2 * window);
  }
  return until;
}

interface Facts {
  readonly count: number;
  readonly sum: number | undefined;
  readonly stdvar: number | undefined;
  readonly min: number;
  readonly max: number;
}

/** When the last window with a number ended. */
function lastEnd(counts: ReadonlyMap<number, number> | undefined): number {
  let last = -Infinity;
  for (const end of counts?.keys() ?? []) last = Math.max(last, end);
  return last;
}

/**
 * Whether one replica may lack a number that the other has in the same window.
 * @param isWhole The window has settled on both. Before, the other one has fewer numbers because it has been scraped less:
 *   no reason to doubt.
 */
function lacksSome(mine: Facts, theirs: Facts, isWhole: boolean): boolean {
  if (theirs.count === 0) return false;
  if (mine.count < theirs.count) return true;
  if (mine.count === theirs.count) return mine.sum !== theirs.sum || mine.stdvar !== theirs.stdvar;
  if (!isWhole) return false;
  // More numbers, but are theirs among them? For certain when there is no hole in mine, from end to end of both.
  return mine.count !== Math.max(mine.max, theirs.max) - Math.min(mine.min, theirs.min) + 1;
}

/** Windows of one length. */
interface WindowsOf {
  readonly window: number;
  readonly windows: BatchWindows;
}

/**
 * Where a replica lacks numbers by its own account, for as long as there is nobody to compare it with. Numbers of an
 * exporter go up by one and begin at a multiple of 1,000 (RING.md). One that both replicas refused looks the same.
 * @param asked Since when its numbers were asked for: what began before may begin in the middle.
 * @param settled Up to when it has what was pushed. All times in milliseconds since the epoch.
 */
export function holesOf(parts: readonly WindowsOf[], asked: number, settled: number): readonly Interval[] {
  const holes: Interval[] = [];
  for (const key of new Set(parts.flatMap(({ windows }) => [...windows.keys()]))) {
    if (!key.startsWith("count|")) continue;
    let before: { readonly from: number; readonly max: number } | undefined;
    for (const { from, to, count, min, max } of windowsOf(parts, key)) {
      if (to > settled) continue;
      const isBegin = min % 1_000 <= 1;
      if (count <= max - min) holes.push({ from, to });
      if (before === undefined && from > asked && !isBegin) holes.push({ from: -Infinity, to });
      if (before !== undefined && min > before.max + 1 && !isBegin) holes.push({ from: before.from, to });
      if (before === undefined || max > before.max) before = { from, max };
    }
  }
  return merged(holes);
}

/** Windows of all lengths with an exporter's numbers in them, by their beginnings: a longer one before those within it. */
function windowsOf(parts: readonly WindowsOf[], key: string) {
  return parts
    .flatMap(({ window, windows }) =>
      [...(windows.get(key) ?? [])].map(([to, count]) => {
        const fact = (name: string) => windows.get(key.replace("count", name))?.get(to) ?? 0;
        return { from: to - window, to, count, min: fact("min"), max: fact("max") };
      }),
    )
    .sort((one, other) => one.from - other.from || other.to - one.to);
}

/** Overlapping and adjacent intervals made one. */
export function merged(intervals: readonly Interval[]): readonly Interval[] {
  const result: Interval[] = [];
  for (const next of [...intervals].sort((one, other) => one.from - other.from)) {
    const last = result.at(-1);
    if (last !== undefined && next.from <= last.to) {
      result[result.length - 1] = { from: last.from, to: Math.max(last.to, next.to) };
    } else {
      result.push(next);
    }
  }
  return result;
}

/** When the first push batch of a shard was stored: what is older can't be compared. Infinity: there is none. */
export function firstBatch(windows: readonly BatchWindows[], window: number): number {
  const ends = windows.flatMap((each) => [...each.values()].flatMap((series) => [...series.keys()]));
  return ends.reduce((least, end) => Math.min(least, end - window), Infinity);
}
