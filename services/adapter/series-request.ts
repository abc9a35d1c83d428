import { fieldsOf } from "../plumbing/protobuf";
import type { Form } from "./prometheus-client";
import type { Matcher } from "./needs";

/** What a root asks for `/api/v1/series`: a `SeriesRequest` without chunks (Thanos 0.42.4 pkg/store/storepb/rpc.proto). */
export interface SeriesRequest {
  /** Milliseconds since the epoch, both included. */
  readonly oldest: number;
  readonly newest: number;
  readonly matchers: readonly Matcher[];
  /** Labels that are taken off the series, before they are sorted. */
  readonly withoutLabels: readonly string[];
  /** Most series; 0: all. */
  readonly limit: number;
  /** Series of the answer in one message; 0 and 1: each in a message of its own. */
  readonly batchSize: number;
  /** Asks for something that Prometheus knows nothing about, or that this module doesn't. */
  readonly isRestricted: boolean;
}

const numbers = { oldest: 1, newest: 2, matchers: 3, skipChunks: 8, queryHints: 12, without: 14, limit: 15, batch: 16 };
/** Resolution, aggregates, partial answers, step, range: nothing that a complete answer without chunks depends on. */
const indifferent: ReadonlySet<number> = new Set([4, 5, 6, 7, 10, 11]);
const known: ReadonlySet<number> = new Set([...Object.values(numbers), ...indifferent]);

/**
 * Reads a request of the Store API for series.
 * @returns undefined when it asks for chunks too.
 * @throws ProtobufError
 */
export function decodeSeriesRequest(message: Buffer): SeriesRequest | undefined {
  const fields = fieldsOf(message);
  const all = (number: number) => fields.filter((field) => field.number === number);
  // The last one counts, as proto3 has it.
  const value = (number: number): number => all(number).at(-1)?.value ?? 0;
  if (value(numbers.skipChunks) === 0) return undefined;
  const matchers = all(numbers.matchers).map(({ bytes }): Matcher => {
    const parts = fieldsOf(bytes);
    const last = (number: number) => parts.findLast((part) => part.number === number);
    return { type: last(1)?.value ?? 0, name: last(2)?.bytes.toString() ?? "", value: last(3)?.bytes.toString() ?? "" };
  });
  return {
    oldest: value(numbers.oldest),
    newest: value(numbers.newest),
    matchers,
    withoutLabels: all(numbers.without).map(({ bytes }) => bytes.toString()),
    limit: value(numbers.limit),
    batchSize: value(numbers.batch),
    isRestricted:
      fields.some(({ number }) => !known.has(number)) ||
      // A root sends hints that are empty: they are about samples.
      all(numbers.queryHints).some(({ bytes }) => bytes.length > 0) ||
      matchers.some((matcher) => operators[matcher.type] === undefined || hasUnreadable(matcher)),
  };
}

const operators = ["=", "!=", "=~", "!~"];

/** Bytes that are no UTF-8: they could not be passed on as they are. */
function hasUnreadable({ name, value }: Matcher): boolean {
  return `${name}${value}`.includes("\ufffd");
}

/** A selector of PromQL. */
export function selectorOf(matchers: readonly Matcher[]): string {
  const texts = matchers.map(({ type, name, value }) => {
    const isPlain = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
    return `${isPlain ? name : JSON.stringify(name)}${operators[type] ?? ""}${JSON.stringify(value)}`;
  });
  return `{${texts.join(",")}}`;
}

/** The end of the last year that can be written down, milliseconds since the epoch. */
const lastTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** What Prometheus' `/api/v1/series` is asked. */
export function seriesForm(request: SeriesRequest): Form {
  return { "match[]": selectorOf(request.matchers), ...seriesBounds(request) };
}

/** The same without the selector. */
export function seriesBounds({ oldest, newest, limit }: Pick<SeriesRequest, "oldest" | "newest" | "limit">): Form {
  // As text, not in seconds: of those Prometheus may lose a millisecond. Left out: Prometheus' first and last time.
  const text = (time: number) => new Date(Math.min(Math.max(time, 0), lastTime)).toISOString();
  return {
    ...(oldest > 0 ? { start: text(oldest) } : {}),
    ...(newest < lastTime ? { end: text(newest) } : {}),
    ...(limit > 0 ? { limit: String(limit) } : {}),
  };
}
