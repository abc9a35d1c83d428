/**
 * What the gate of a root asks adapters for `/api/v1/series`, and how lists of series pass through as the text that
 * Prometheus wrote: neither end makes objects of them.
 */

import { bytesField, fieldsOf, varintField } from "./protobuf";

/** Method of the adapter's gRPC server, beside those of Thanos. An answer's messages are one text in pieces. */
export const SERIES_TEXT = "/pipeline.Adapter/SeriesText";

/** Which series there are. */
export interface SeriesQuery {
  /** Selectors of PromQL, one at least. */
  readonly matches: readonly string[];
  /** Milliseconds since the epoch, both included. */
  readonly oldest: number;
  readonly newest: number;
  /** Most series; 0: all. */
  readonly limit: number;
}

export function encodeSeriesQuery({ matches, oldest, newest, limit }: SeriesQuery): Buffer {
  return Buffer.concat([
    ...matches.map((match) => bytesField(1, match)),
    varintField(2, oldest),
    varintField(3, newest),
    varintField(4, limit),
  ]);
}

/** @throws ProtobufError */
export function decodeSeriesQuery(message: Buffer): SeriesQuery {
  const fields = fieldsOf(message);
  const value = (number: number): number => fields.findLast((field) => field.number === number)?.value ?? 0;
  return {
    matches: fields.filter(({ number }) => number === 1).map(({ bytes }) => bytes.toString()),
    oldest: value(2),
    newest: value(3),
    limit: value(4),
  };
}

/** What Prometheus and Thanos warn of when there are more series than were asked for. */
export const TRUNCATED = "results truncated due to limit";

const head = Buffer.from('{"status":"success","data":[');
const comma = Buffer.from(",");
const tail = Buffer.from("]}");
const truncatedTail = Buffer.from(`],"warnings":["${TRUNCATED}"]}`);
const [newLine, brace] = [0x0a, 0x7d];

/** What the text of an answer about series is. */
export type ListText =
  /** Complete and without warnings: what stands between the brackets of its list. */
  | { readonly list: Buffer }
  /** There are more series than were asked for. */
  | "truncated"
  /** An error, a warning, or not written as Prometheus and Thanos write it. */
  | "other";

/**
 * Takes the list out of an answer without parsing it: a list of objects whose members are texts ends with `}]}` only
 * where nothing comes behind it (prometheus v3.14 web/api/v1/api.go, Response: data before warnings and infos, which are
 * lists of texts).
 */
export function listTextOf(answer: Buffer): ListText {
  if (!answer.subarray(0, head.length).equals(head)) return "other";
  let end = answer.length;
  // Thanos ends with a new line.
  if (answer[end - 1] === newLine) end -= 1;
  const body = answer.subarray(head.length, end);
  if (body.subarray(-truncatedTail.length).equals(truncatedTail)) return "truncated";
  if (!body.subarray(-tail.length).equals(tail)) return "other";
  const list = body.subarray(0, -tail.length);
  return list.length === 0 || list.at(-1) === brace ? { list } : "other";
}

/** The answer with some lists one behind the other, each in pieces. */
export function answerOf(lists: readonly (readonly Buffer[])[]): readonly Buffer[] {
  const filled = lists.filter((pieces) => pieces.length > 0);
  return [head, ...filled.flatMap((pieces, at) => (at === 0 ? pieces : [comma, ...pieces])), tail];
}

const separator = Buffer.from("},{");

/** How many series there are in a list at most: a label's value may look like the end of one and the start of the next. */
export function mostSeriesIn(list: Buffer): number {
  if (list.length === 0) return 0;
  let count = 1;
  for (let at = list.indexOf(separator); at >= 0; at = list.indexOf(separator, at + separator.length)) count += 1;
  return count;
}

/** Whether a series of the list has a label of this name; names that JSON would escape are none of ours. */
export function hasLabelText(list: Buffer, name: string): boolean {
  // In a value its quotes would be escaped.
  return list.includes(`"${name}":`);
}
