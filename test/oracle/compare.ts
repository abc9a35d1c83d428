/** Whether two answers say the same: label sets, values, histograms, errors and warnings. */

type Point = readonly [number, string];
interface Histogram {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}
type HistogramPoint = readonly [number, Histogram];

interface SeriesResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: HistogramPoint;
  readonly histograms?: readonly HistogramPoint[];
}

/** An answer of Prometheus' query API. */
export interface FullAnswer {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  readonly data?: { readonly resultType: string; readonly result: unknown };
}

/** Relative difference that the same sum in another order may have; absolute for what is about zero. */
const relative = 1e-9;
const absolute = 1e-9;

function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return Number(text);
}

function isClose(one: string, other: string): boolean {
  if (one === other) return true;
  const [left, right] = [numberOf(one), numberOf(other)];
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) && Number.isNaN(right);
  return left === right || Math.abs(left - right) <= relative * Math.max(Math.abs(left), Math.abs(right)) + absolute;
}

function sameHistogram(one: Histogram, other: Histogram): boolean {
  const [left, right] = [one.buckets ?? [], other.buckets ?? []];
  return (
    isClose(one.count, other.count) &&
    isClose(one.sum, other.sum) &&
    left.length === right.length &&
    left.every(([rule, ...numbers], at) => {
      const [otherRule, ...others] = right[at] ?? [-1, "", "", ""];
      return rule === otherRule && numbers.every((number, place) => isClose(number, others[place] ?? ""));
    })
  );
}

function listOf({ data }: FullAnswer): readonly SeriesResult[] {
  if (data === undefined) return [];
  if (data.resultType === "scalar" || data.resultType === "string")
    return [{ metric: {}, value: data.result as Point }];
  return data.result as readonly SeriesResult[];
}

function keyOf({ metric }: SeriesResult): string {
  return JSON.stringify(Object.entries(metric).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Number of series. */
export function sizeOf(answer: FullAnswer): number {
  return listOf(answer).length;
}

function seriesDifference(wanted: SeriesResult, given: SeriesResult): string | undefined {
  const points = ({ value, values }: SeriesResult) => values ?? (value === undefined ? [] : [value]);
  const histograms = ({ histogram, histograms }: SeriesResult) =>
    histograms ?? (histogram === undefined ? [] : [histogram]);
  const counts = (series: SeriesResult) => `${String(points(series).length)}+${String(histograms(series).length)}`;
  if (counts(wanted) !== counts(given)) return `${counts(given)} values instead of ${counts(wanted)}`;
  for (const [at, [time, value]] of points(wanted).entries()) {
    const [otherTime, other] = points(given)[at] ?? [NaN, ""];
    if (time !== otherTime || !isClose(value, other)) {
      return `${other} at ${String(otherTime)} instead of ${value} at ${String(time)}`;
    }
  }
  for (const [at, [time, value]] of histograms(wanted).entries()) {
    const [otherTime, other] = histograms(given)[at] ?? [NaN, { count: "", sum: "" }];
    if (time !== otherTime || !sameHistogram(value, other)) {
      return `${JSON.stringify(other)} at ${String(otherTime)} instead of ${JSON.stringify(value)} at ${String(time)}`;
    }
  }
  return undefined;
}

/**
 * Texts of warnings, without who sent them and where in the query they come from: the root sends a rewritten one to the
 * shards. Infos are among Thanos' warnings, and those of the shards are dropped by the adapter: not compared.
 */
function warningsOf({ warnings }: FullAnswer): readonly string[] {
  const texts = (warnings ?? []).map((text) =>
    text.replace(/^remote query warning \([^)]*\): /, "").replace(/ \(\d+:\d+\)$/, ""),
  );
  return [...new Set(texts.filter((text) => !text.startsWith("PromQL info: ")))].sort();
}

/** @param isOrdered Whether the order of series is part of the answer. */
export function difference(wanted: FullAnswer, given: FullAnswer, isOrdered: boolean): string | undefined {
  if (wanted.status !== given.status) {
    return `${given.status} (${given.error ?? ""}) instead of ${wanted.status} (${wanted.error ?? ""})`;
  }
  if (wanted.status !== "success") return undefined;
  if (wanted.data?.resultType !== given.data?.resultType) {
    return `${given.data?.resultType ?? ""} instead of ${wanted.data?.resultType ?? ""}`;
  }
  const [theirs, ours] = [new Map<string, SeriesResult>(), new Map<string, SeriesResult>()];
  for (const series of listOf(wanted)) theirs.set(keyOf(series), series);
  for (const series of listOf(given)) ours.set(keyOf(series), series);
  if (ours.size !== sizeOf(given)) return "a series twice";
  const lacking = [...theirs.keys()].filter((key) => !ours.has(key));
  const extra = [...ours.keys()].filter((key) => !theirs.has(key));
  if (lacking.length + extra.length > 0) {
    const counts = `${String(lacking.length)} series missing, ${String(extra.length)} too many`;
    return `${counts}: ${lacking[0] ?? "-"} / ${extra[0] ?? "-"}`;
  }
  for (const [key, series] of theirs) {
    const other = ours.get(key);
    const found = other === undefined ? "missing" : seriesDifference(series, other);
    if (found !== undefined) return `${key}: ${found}`;
  }
  if (isOrdered && [...theirs.keys()].join() !== [...ours.keys()].join()) return "in another order";
  const [expected, found] = [warningsOf(wanted).join("; "), warningsOf(given).join("; ")];
  return expected === found ? undefined : `warnings ${found || "none"} instead of ${expected || "none"}`;
}
