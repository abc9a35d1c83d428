/** Reads Prometheus' own test files for PromQL (promql/promqltest/README.md): data and expressions, not what is expected. */
import { emptyHistogram, resetHints, type Labels, type NativeHistogram, type ResetHint, type Value } from "./samples";

/** An expression and when it is evaluated: seconds after the section's start; without step an instant. */
export interface Evaluation {
  readonly query: string;
  readonly start: number;
  readonly end: number;
  readonly step?: number;
}

/** What stands between two `clear`s. */
export interface Section {
  readonly name: string;
  /** Values by milliseconds after the section's start. */
  readonly series: readonly { readonly labels: Labels; readonly values: ReadonlyMap<number, Value> }[];
  readonly evaluations: readonly Evaluation[];
  /** Lines of `load` that this module can't read. */
  readonly unread: number;
}

class Unread extends Error {}

const units: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** A duration as `1h30m`, or a number of seconds. @throws Unread */
export function secondsOf(text: string): number {
  const plain = Number(text);
  if (text !== "" && Number.isFinite(plain)) return plain;
  const match = /^(-?)((?:\d+(?:ms|[smhdwy]))+)$/.exec(text);
  if (match === null) throw new Unread(text);
  const parts = [...(match[2] ?? "").matchAll(/(\d+)(ms|[smhdwy])/g)];
  const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * (units[unit ?? ""] ?? NaN), 0);
  return match[1] === "-" ? -sum : sum;
}

function unquoted(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  const inner = text.startsWith("'")
    ? text.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')
    : text.slice(1, -1);
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    throw new Unread(text);
  }
}

const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/y;
const name = /[a-zA-Z_:][a-zA-Z0-9_:.]*/y;

/** A series at the beginning of a line, and the rest of it. @throws Unread */
function seriesOf(line: string): readonly [Labels, string] {
  const labels: Record<string, string> = {};
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(line)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const blank = /\s*/y;
  const metric = take(name);
  if (metric !== undefined) labels["__name__"] = metric;
  if (line[at] === "{") {
    at += 1;
    for (take(blank); line[at] !== "}"; take(/\s*,?\s*/y)) {
      const isQuoted = /["'`]/.test(line[at] ?? "");
      const label = take(isQuoted ? quoted : name);
      if (label === undefined) throw new Unread(line);
      take(blank);
      if (line[at] !== "=") {
        if (!isQuoted) throw new Unread(line);
        labels["__name__"] = unquoted(label);
        continue;
      }
      at += 1;
      take(blank);
      const value = take(quoted);
      if (value === undefined) throw new Unread(line);
      labels[isQuoted ? unquoted(label) : label] = unquoted(value);
    }
    at += 1;
  }
  if (!/\s/.test(line[at] ?? "")) throw new Unread(line);
  return [Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== "")), line.slice(at).trim()];
}

function numberOf(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  const value = Number(text);
  if (Number.isNaN(value)) throw new Unread(text);
  return value;
}

/** What stands between `{{` and `}}`. */
function histogramOf(text: string): NativeHistogram {
  const fields = new Map<string, string>();
  for (const [, key = "", value = ""] of text.matchAll(/(\w+):(\[[^\]]*\]|\S+)/g)) fields.set(key, value);
  const number = (key: string, otherwise: number) => {
    const value = fields.get(key);
    return value === undefined ? otherwise : numberOf(value);
  };
  const list = (key: string) => [...(fields.get(key) ?? "").matchAll(/[^\s[\],]+/g)].map(([item]) => numberOf(item));
  const hint = fields.get("counter_reset_hint") ?? "unknown";
  if (!Object.hasOwn(resetHints, hint)) throw new Unread(hint);
  return {
    schema: number("schema", 0),
    count: number("count", 0),
    sum: number("sum", 0),
    zeroCount: number("z_bucket", 0),
    zeroThreshold: number("z_bucket_w", number("schema", 0) === -53 ? 0 : emptyHistogram.zeroThreshold),
    positive: { offset: number("offset", 0), counts: list("buckets") },
    negative: { offset: number("n_offset", 0), counts: list("n_buckets") },
    customValues: list("custom_values"),
    resetHint: hint as ResetHint,
  };
}

type Side = NativeHistogram["positive"];

function addSide(one: Side, other: Side, times: number): Side {
  if (other.counts.length === 0) return one;
  if (one.counts.length === 0) return { ...other, counts: other.counts.map((count) => count * times) };
  const offset = Math.min(one.offset, other.offset);
  const end = Math.max(one.offset + one.counts.length, other.offset + other.counts.length);
  const counts = Array.from({ length: end - offset }, (_, at) => {
    const of = (side: Side) => side.counts[at + offset - side.offset] ?? 0;
    return of(one) + times * of(other);
  });
  return { offset, counts };
}

function addHistogram(one: NativeHistogram, other: NativeHistogram, times: number): NativeHistogram {
  if (one.schema !== other.schema || String(one.customValues) !== String(other.customValues)) {
    throw new Unread("histograms of two schemas");
  }
  return {
    ...one,
    count: one.count + times * other.count,
    sum: one.sum + times * other.sum,
    zeroCount: one.zeroCount + times * other.zeroCount,
    positive: addSide(one.positive, other.positive, times),
    negative: addSide(one.negative, other.negative, times),
  };
}

const token =
  /\s*(?:\{\{([^}]*)\}\}(?:([+-])\{\{([^}]*)\}\})?(?:x(\d+))?|_(?:x(\d+))?|(stale)|([+-]?(?:\d[\d.]*(?:e[+-]?\d+)?|inf|nan))(?:([+-])(\d[\d.]*(?:e[+-]?\d+)?))?(?:x(\d+))?)(?=\s|$)/iy;

/** Values in the order of their steps; undefined: none. @throws Unread */
export function valuesOf(text: string): readonly (Value | undefined)[] {
  const values: (Value | undefined)[] = [];
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new Unread(text.slice(at));
    const [, histogram, sign, increment, times, gaps, stale, number, way, by, count] = match;
    if (histogram !== undefined) {
      const first = histogramOf(histogram);
      const more = increment === undefined ? undefined : histogramOf(increment);
      for (let step = 0; step <= Number(times ?? 0); step++) {
        values.push(more === undefined ? first : addHistogram(first, more, sign === "-" ? -step : step));
      }
    } else if (stale !== undefined) {
      values.push("stale");
    } else if (number !== undefined) {
      const [first, delta] = [numberOf(number), by === undefined ? 0 : Number(by) * (way === "-" ? -1 : 1)];
      for (let step = 0; step <= Number(count ?? 0); step++) values.push(first + step * delta);
    } else {
      for (let step = 0; step < Number(gaps ?? 1); step++) values.push(undefined);
    }
  }
  return values;
}

const instant = /^eval(?:_\w+)?\s+instant\s+(?:at\s+(\S+)\s+)?(.+)$/;
const range = /^eval(?:_\w+)?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;

function evaluationOf(line: string): Evaluation | undefined {
  const [isInstant, isRange] = [instant.exec(line), range.exec(line)];
  if (isRange !== null) {
    const [, from = "", to = "", step = "", query = ""] = isRange;
    return { query, start: secondsOf(from), end: secondsOf(to), step: secondsOf(step) };
  }
  if (isInstant === null) return undefined;
  const [, time = "0", query = ""] = isInstant;
  return { query, start: secondsOf(time), end: secondsOf(time) };
}

/** Sections of one file, in their order. */
export function sectionsOf(file: string, text: string): readonly Section[] {
  const sections: Section[] = [];
  let series = new Map<string, { readonly labels: Labels; readonly values: Map<number, Value> }>();
  let evaluations: Evaluation[] = [];
  let unread = 0;
  const finish = () => {
    const name = `${file} ${String(sections.length + 1)}`;
    if (evaluations.length > 0) sections.push({ name, series: [...series.values()], evaluations, unread });
    series = new Map();
    evaluations = [];
    unread = 0;
  };
  let step: number | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line.startsWith("#")) continue;
    const load = /^load(?:_with_nhcb)?\s+(\S+)$/.exec(line);
    if (line === "" || line === "clear" || line.startsWith("eval")) step = undefined;
    if (line === "clear") finish();
    try {
      if (load !== null) {
        step = secondsOf(load[1] ?? "");
      } else if (step !== undefined) {
        const [labels, points] = seriesOf(line);
        const key = JSON.stringify(Object.entries(labels).sort());
        const known = series.get(key) ?? { labels, values: new Map<number, Value>() };
        const milliseconds = step * 1000;
        valuesOf(points).forEach((value, at) => {
          if (value !== undefined) known.values.set(Math.round(at * milliseconds), value);
        });
        series.set(key, known);
      } else if (line.startsWith("eval")) {
        const evaluation = evaluationOf(line);
        if (evaluation !== undefined) evaluations.push(evaluation);
      }
    } catch (error) {
      if (!(error instanceof Unread)) throw error;
      unread += 1;
    }
  }
  finish();
  return sections;
}
