import { LeafNeeded } from "./answer";
import { encodeLabels } from "./messages";
import { TimeSeriesWriter } from "./time-series";

const [quote, backslash, open, close, openList, closeList] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];
const [comma, minus, dot, zero, nine] = [0x2c, 0x2d, 0x2e, 0x30, 0x39];

const metricHead = Buffer.from('{"metric":');
const valueHead = Buffer.from(',"value":');
const valuesHead = Buffer.from(',"values":[');
const histogramHead = Buffer.from(',"histogram');
/** Longer than each of them. */
const headBytes = 12;

/** Most bytes that may be left over: longer label sets are none. */
const leftLimit = 4 * 1024 * 1024;

/** Numbers of so many digits, and powers of ten up to that, are exact as doubles, so one division rounds right. */
const exactDigits = 15;
const powersOfTen = Array.from({ length: exactDigits + 1 }, (_, exponent) => 10 ** exponent);

/** What the elements of a list are: series with their points, or label sets alone. */
export type ListOf = "series" | "labels";

/**
 * Reads the list of series in a vector or matrix as Prometheus writes it (web/api/v1/json_codec.go: no spaces, `metric`
 * first, times in seconds, values as text) from bytes to bytes: a wide answer has a million points, and an object for
 * each costs more than all else. Of an answer about series it reads the label sets alike.
 */
export class SeriesReader {
  readonly #writer = new TimeSeriesWriter();
  /** What is here and not yet read, up to `#end`. A zero byte behind it ends every loop: reading beyond a buffer is slow. */
  #bytes = Buffer.alloc(1);
  #end = 0;
  #state: "series" | "points" | "point" | "after" | "end" = "series";
  #labelsEnd = 0;
  /** Of the labels that are being read: where their quotes are, and whether there is more to them than that. */
  readonly #quotes: number[] = [];
  #quoteCount = 0;
  #hasEscapes = false;

  /** @param each Called for each series with the content of its `TimeSeries`, of which labels are the first bytes. */
  constructor(
    readonly each: (content: Buffer, labelsEnd: number) => void,
    readonly listOf: ListOf = "series",
  ) {}

  /**
   * Reads on.
   * @returns What is behind the list, from its closing bracket; undefined: it has not ended yet.
   * @throws SyntaxError, LeafNeeded, and what `each` throws.
   */
  read(chunk: Buffer): Buffer | undefined {
    const left = this.#end;
    this.#end += chunk.length;
    if (this.#end >= this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#end + 1);
      this.#bytes.copy(larger, 0, 0, left);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, left);
    this.#bytes[this.#end] = 0;
    const done = this.#advance();
    if (this.#state === "end") return Buffer.from(this.#bytes.subarray(done, this.#end));
    this.#bytes.copyWithin(0, done, this.#end);
    this.#end -= done;
    if (this.#end > leftLimit) throw new SyntaxError("a label set is too long");
    return undefined;
  }

  /** Reads as far as it can; returns how far that is. */
  #advance(): number {
    let at = 0;
    for (;;) {
      const from = at;
      const state = this.#state;
      if (state === "series") at = this.#series(at);
      else if (state === "points") at = this.#points(at);
      else if (state === "point") at = this.#point(at);
      else if (state === "after") at = this.#after(at);
      if (state === this.#state && at === from) return at;
    }
  }

  /** The beginning of a series to its first point, or the end of the list. */
  #series(from: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    const start = bytes[from] === comma ? from + 1 : from;
    if (bytes[start] === closeList) {
      this.#state = "end";
      return start;
    }
    if (this.listOf === "labels") return this.#labelSet(from, start);
    if (start + headBytes > end) return from;
    if (!startsWith(bytes, start, metricHead) || bytes[start + metricHead.length] !== open) throw unexpected();
    const labelsStart = start + metricHead.length;
    const labelsStop = this.#endOfLabels(labelsStart);
    if (labelsStop >= end) return from;
    const isBare = bytes[labelsStop] === close;
    if (!isBare && labelsStop + headBytes > end) return from;
    if (startsWith(bytes, labelsStop, histogramHead)) throw new LeafNeeded("native histograms");
    this.#labels(labelsStart, labelsStop);
    this.#labelsEnd = this.#writer.length;
    if (isBare) {
      this.#state = "after";
      return labelsStop;
    }
    if (startsWith(bytes, labelsStop, valuesHead)) {
      this.#state = "points";
      return labelsStop + valuesHead.length;
    }
    if (!startsWith(bytes, labelsStop, valueHead)) throw unexpected();
    this.#state = "point";
    return labelsStop + valueHead.length;
  }

  /** A label set that is a series by itself. Returns where it ends, or `from` when not all of it is here. */
  #labelSet(from: number, start: number): number {
    if (start >= this.#end) return from;
    if (this.#bytes[start] !== open) throw unexpected();
    const stop = this.#endOfLabels(start);
    if (stop > this.#end) return from;
    this.#labels(start, stop);
    const { length } = this.#writer;
    this.each(this.#writer.take(), length);
    return stop;
  }

  #points(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    for (;;) {
      if (bytes[at] === closeList) {
        this.#state = "after";
        return at + 1;
      }
      const start = bytes[at] === comma ? at + 1 : at;
      const stop = this.#sample(start);
      if (stop === start) return at;
      at = stop;
    }
  }

  /** The only point of a series in a vector. */
  #point(from: number): number {
    const stop = this.#sample(from);
    if (stop !== from) this.#state = "after";
    return stop;
  }

  /** The end of a series. */
  #after(from: number): number {
    const bytes = this.#bytes;
    if (bytes[from] === close) {
      this.#state = "series";
      this.each(this.#writer.take(), this.#labelsEnd);
      return from + 1;
    }
    if (from + histogramHead.length > this.#end) return from;
    throw startsWith(bytes, from, histogramHead) ? new LeafNeeded("native histograms") : unexpected();
  }

  /** Writes the point `[time,"value"]`. Returns where it ends, or `from` when not all of it is here. */
  #sample(from: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = from;
    let byte = bytes[at] ?? 0;
    if (byte !== openList) {
      if (at >= end) return from;
      throw unexpected();
    }
    let time = 0;
    for (byte = bytes[++at] ?? 0; byte >= zero && byte <= nine; byte = bytes[++at] ?? 0) time = time * 10 + byte - zero;
    let milliseconds = time * 1000;
    if (byte !== comma || at === from + 1) {
      at = bytes.indexOf(comma, from);
      if (at < 0 || at >= end) return from;
      milliseconds = Math.round(numberOf(bytes.toString("latin1", from + 1, at)) * 1000);
    }
    const start = at + 2;
    if (start >= end) return from;
    if (bytes[at + 1] !== quote) throw unexpected();
    at = start;
    byte = bytes[at] ?? 0;
    if (byte === minus) byte = bytes[++at] ?? 0;
    let mantissa = 0;
    let digits = 0;
    let point = -1;
    for (; ; byte = bytes[++at] ?? 0) {
      if (byte >= zero && byte <= nine) {
        mantissa = mantissa * 10 + byte - zero;
        digits += 1;
      } else if (byte === dot && point < 0) point = digits;
      else break;
    }
    let value: number;
    if (byte === quote && digits > 0 && digits <= exactDigits) {
      value = point < 0 ? mantissa : mantissa / (powersOfTen[digits - point] ?? NaN);
      if (bytes[start] === minus) value = -value;
    } else {
      at = bytes.indexOf(quote, start);
      if (at < 0 || at >= end) return from;
      value = valueOf(bytes.toString("latin1", start, at));
    }
    if (at + 1 >= end) return from;
    if (bytes[at + 1] !== closeList) throw unexpected();
    this.#writer.sample(milliseconds, value);
    return at + 2;
  }

  /** Where the object that begins at `start` ends, of which all members are texts; Infinity: not all of it is here. */
  #endOfLabels(start: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let isText = false;
    // Written over: a new list for each label set would be work for the collector.
    const quotes = this.#quotes;
    let count = 0;
    this.#hasEscapes = false;
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        isText = !isText;
        quotes[count++] = at;
      } else if (byte === backslash) {
        at += 1;
        this.#hasEscapes = true;
      } else if (byte === close && !isText) {
        this.#quoteCount = count;
        return at + 1;
      }
    }
    return Infinity;
  }

  /** Writes the labels between two places, sorted as Prometheus has them. */
  #labels(start: number, stop: number): void {
    const bytes = this.#bytes;
    if (this.#hasEscapes) {
      const metric = JSON.parse(bytes.toString("utf8", start, stop)) as Readonly<Record<string, string>>;
      this.#writer.raw(encodeLabels(metric));
      return;
    }
    // "name":"value","name":"value"
    const quotes = this.#quotes;
    if (this.#quoteCount % 4 !== 0) throw unexpected();
    for (let at = 0; at < this.#quoteCount; at += 4) {
      const [nameStart, nameEnd] = [quotes[at] ?? 0, quotes[at + 1] ?? 0];
      const [valueStart, valueEnd] = [quotes[at + 2] ?? 0, quotes[at + 3] ?? 0];
      if (valueStart !== nameEnd + 2) throw unexpected();
      this.#writer.label(bytes, nameStart + 1, nameEnd, valueStart + 1, valueEnd);
    }
  }
}

function startsWith(bytes: Buffer, at: number, head: Buffer): boolean {
  return bytes.compare(head, 0, head.length, at, Math.min(at + head.length, bytes.length)) === 0;
}

function unexpected(): SyntaxError {
  return new SyntaxError("not a series as Prometheus writes it");
}

/** @throws SyntaxError when it is none. */
function numberOf(text: string): number {
  const value = Number(text);
  if (text === "" || Number.isNaN(value)) throw unexpected();
  return value;
}

/**
 * A value as Prometheus writes it.
 * @throws SyntaxError
 */
export function valueOf(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return text === "NaN" ? NaN : numberOf(text);
}
