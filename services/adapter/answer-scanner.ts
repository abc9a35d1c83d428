import { SeriesReader, type ListOf } from "./series-reader";

/**
 * Reads an answer of Prometheus' query API while it arrives. Vectors and matrices are handed on series by series, already
 * encoded, and so are the label sets of an answer about series; what is around them is parsed at the end.
 */

/** Seconds, and the value as text. */
export type Point = readonly [time: number, value: string];

/** What is around the series. */
export interface Envelope {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  /** An empty list in an answer about series. */
  readonly data?: {
    readonly resultType?: string;
    /** Empty for vectors and matrices. */
    readonly result?: unknown;
    readonly stats?: { readonly samples?: { readonly totalQueryableSamples?: number; readonly peakSamples?: number } };
  };
}

const listHeads: Readonly<Record<ListOf, RegExp>> = {
  series: /^\{"status":"success","data":\{"resultType":"(?:vector|matrix)","result":\[/,
  labels: /^\{"status":"success","data":\[/,
};
/** Enough to see whether an answer begins so. */
const headBytes = 80;
/** Longest envelope in bytes: an error may hold the whole query. */
const envelopeLimit = 4 * 1024 * 1024;

export class AnswerScanner {
  /** Everything but the series. */
  #around: Buffer[] = [];
  #aroundSize = 0;
  #state: "head" | "series" | "rest" = "head";
  readonly #reader: SeriesReader;

  /** @param each As for `SeriesReader`. */
  constructor(
    each: (content: Buffer, labelsEnd: number) => void,
    readonly listOf: ListOf = "series",
  ) {
    this.#reader = new SeriesReader(each, listOf);
  }

  /** @throws SyntaxError when it is not what Prometheus writes, LeafNeeded, and what `each` throws. */
  push(chunk: Buffer): void {
    if (this.#state === "rest") {
      this.#keep(chunk);
      return;
    }
    if (this.#state === "series") {
      this.#read(chunk);
      return;
    }
    this.#keep(chunk);
    if (this.#aroundSize < headBytes) return;
    this.#begin();
  }

  /** @throws SyntaxError when the answer is no JSON, or not all of it has come. */
  end(): Envelope {
    if (this.#state === "head") this.#begin();
    if (this.#state === "series") throw new SyntaxError("the answer ended among its series");
    const envelope: unknown = JSON.parse(Buffer.concat(this.#around).toString());
    if (typeof envelope !== "object" || envelope === null || !("status" in envelope)) {
      throw new SyntaxError("not an answer of Prometheus");
    }
    const { data, status } = envelope as Envelope;
    const isList =
      this.listOf === "labels" ? status === "success" : data?.resultType === "vector" || data?.resultType === "matrix";
    const list: unknown = this.listOf === "labels" ? data : data?.result;
    // Written in another way than the head of a list is known by: it must not pass for an empty one.
    if (isList && (!Array.isArray(list) || list.length > 0)) throw new SyntaxError("series in an unknown form");
    return envelope as Envelope;
  }

  #begin(): void {
    const text = Buffer.concat(this.#around);
    const match = listHeads[this.listOf].exec(text.subarray(0, headBytes).toString("latin1"));
    if (match === null) {
      this.#state = "rest";
      return;
    }
    this.#state = "series";
    this.#around = [text.subarray(0, match[0].length)];
    this.#read(text.subarray(match[0].length));
  }

  #keep(chunk: Buffer): void {
    this.#around.push(chunk);
    this.#aroundSize += chunk.length;
    if (this.#aroundSize > envelopeLimit) throw new SyntaxError("the answer is too long");
  }

  #read(chunk: Buffer): void {
    const rest = this.#reader.read(chunk);
    if (rest === undefined) return;
    this.#state = "rest";
    this.#keep(rest);
  }
}
