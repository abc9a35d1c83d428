/**
 * Reads an answer of Prometheus' query API while it arrives. Vectors and matrices are handed on series by series, so
 * that memory holds one parsed series and not a million parsed samples; what is around them is parsed at the end.
 */

/** One series of a vector (`value` or `histogram`) or of a matrix (`values`, `histograms`), as Prometheus writes it. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
  readonly histogram?: unknown;
  readonly histograms?: readonly unknown[];
}

/** Seconds, and the value as text. */
export type Point = readonly [time: number, value: string];

/** What is around the series. */
export interface Envelope {
  readonly status: string;
  readonly errorType?: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  readonly data?: {
    readonly resultType: string;
    /** Empty for vectors and matrices. */
    readonly result: unknown;
    readonly stats?: { readonly samples?: { readonly totalQueryableSamples?: number; readonly peakSamples?: number } };
  };
}

const listHead = /^\{"status":"success","data":\{"resultType":"(?:vector|matrix)","result":\[/;
/** Enough to see whether an answer begins so. */
const headBytes = 80;
/** Longest envelope in bytes: an error may hold the whole query. */
const envelopeLimit = 4 * 1024 * 1024;

const [quote, backslash, open, close, bracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5d];

export class AnswerScanner {
  /** Everything but the series. */
  #around: Buffer[] = [];
  #aroundSize = 0;
  #state: "head" | "series" | "rest" = "head";
  /** Of the series that is being read. */
  #parts: Buffer[] = [];
  #depth = 0;
  #isString = false;
  #isEscaped = false;

  /** @param each Called for each series in its turn. */
  constructor(readonly each: (series: Series) => void) {}

  /** @throws SyntaxError when it is no JSON, and what `each` throws. */
  push(chunk: Buffer): void {
    if (this.#state === "rest") {
      this.#keep(chunk);
      return;
    }
    if (this.#state === "series") {
      this.#scan(chunk);
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
    return envelope as Envelope;
  }

  #begin(): void {
    const text = Buffer.concat(this.#around);
    const match = listHead.exec(text.subarray(0, headBytes).toString("latin1"));
    if (match === null) {
      this.#state = "rest";
      return;
    }
    this.#state = "series";
    this.#around = [text.subarray(0, match[0].length)];
    this.#scan(text.subarray(match[0].length));
  }

  #keep(chunk: Buffer): void {
    this.#around.push(chunk);
    this.#aroundSize += chunk.length;
    if (this.#aroundSize > envelopeLimit) throw new SyntaxError("the answer is too long");
  }

  #scan(chunk: Buffer): void {
    let from = 0;
    let depth = this.#depth;
    let isString = this.#isString;
    let isEscaped = this.#isEscaped;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (isString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) isString = false;
      } else if (byte === quote) {
        isString = true;
      } else if (byte === open) {
        if (depth === 0) from = at;
        depth += 1;
      } else if (byte === close) {
        depth -= 1;
        if (depth === 0) this.#series(chunk.subarray(from, at + 1));
      } else if (byte === bracket && depth === 0) {
        this.#state = "rest";
        this.#keep(chunk.subarray(at));
        return;
      }
    }
    if (depth > 0) this.#parts.push(chunk.subarray(this.#parts.length === 0 ? from : 0));
    this.#depth = depth;
    this.#isString = isString;
    this.#isEscaped = isEscaped;
  }

  #series(last: Buffer): void {
    const text = this.#parts.length === 0 ? last.toString() : Buffer.concat([...this.#parts, last]).toString();
    this.#parts = [];
    this.each(JSON.parse(text) as Series);
  }
}

/** A value as Prometheus writes it. */
export function valueOf(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return text === "NaN" ? NaN : Number(text);
}
