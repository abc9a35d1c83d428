import { BATCH_METRIC } from "../../model/names";
import { ask } from "../plumbing/ask";
import { messageOf } from "../plumbing/log";
import type { KeptWrite } from "./kept-write";

/** Numbers that are asked for at once, and the time that they may span in milliseconds: answers stay below a few MB. */
const numbersAtOnce = 5_000;
const longestSpan = 60_000;

/** Reads the numbers of an exporter that a Prometheus has, with timestamps from `from` to `to`. Rejects without a whole answer. */
export type ReadNumbers = (url: string, from: number, to: number) => Promise<ReadonlySet<number>>;

/** @param timeout Milliseconds for one answer. */
export function numbersReader(exporter: string, timeout: number): ReadNumbers {
  return async (url, from, to) => {
    // A range selector is open on the left.
    const range = `[${String(to - from + 1)}ms]`;
    const query = `${BATCH_METRIC}{exporter=${JSON.stringify(exporter)}}${range}`;
    const form = new URLSearchParams({ query, time: (to / 1000).toFixed(3) });
    const { status, text } = await ask("GET", `${url}/api/v1/query?${form.toString()}`, timeout);
    if (status !== 200) throw new Error(`status ${String(status)}: ${text.slice(0, 200).trim()}`);
    return numbersIn(text);
  };
}

/** The values in the answer to a range selector. @throws Error when it is none. */
export function numbersIn(text: string): ReadonlySet<number> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new Error(`not an answer of Prometheus: ${messageOf(error)}`);
  }
  const { status, data } = answer as Answer;
  if (status !== "success" || data?.resultType !== "matrix" || data.result === undefined) {
    throw new Error("not a successful answer of Prometheus");
  }
  return new Set(data.result.flatMap(({ values = [] }) => values.map(([, value]) => Number(value))));
}

interface Answer {
  readonly status?: string;
  readonly data?: {
    readonly resultType?: string;
    readonly result?: readonly { readonly values?: readonly (readonly [number, string])[] }[];
  };
}

/** Cuts writes (ascending timestamps) into pieces that can be asked for at once. */
export function* askable(writes: readonly KeptWrite[]): Generator<readonly KeptWrite[]> {
  let piece: KeptWrite[] = [];
  for (const write of writes) {
    const [first] = piece;
    if (first !== undefined && (piece.length >= numbersAtOnce || write.timestamp - first.timestamp > longestSpan)) {
      yield piece;
      piece = [];
    }
    piece.push(write);
  }
  if (piece.length > 0) yield piece;
}
