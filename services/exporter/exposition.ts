import { isUtf8 } from "node:buffer";
import { hashBytes, samePiece } from "./hash";
import { skipComment } from "./comment";
import { ExpositionError, firstInvalidLine, showBytes, showCharacter } from "./exposition-error";
import { endOfFloat, floatProblem } from "./float-text";
import { LabelSpans, Rewriter, type RewrittenLine } from "./rewriter";
import { SampleColumns, type Samples } from "./samples";
import {
  ascending,
  backslash,
  blank,
  braceClose,
  braceOpen,
  classOf,
  comma,
  equals,
  hash,
  labelRest,
  labelStart,
  letterN,
  nameRest,
  nameStart,
  newline,
  quote,
  skipBlanks,
  zero,
} from "./text-bytes";

/**
 * Strict reader of the Prometheus text format 0.0.4. It accepts what both the hub's parser (prometheus/common 0.9.1,
 * expfmt/text_parse.go) and Prometheus' own (3.14, model/textparse/promlex.l and promparse.go) accept, so that no line
 * can spoil a batch for others. The cases where the two differ are listed with their sources in
 * test/unit/services/exporter/exposition-cases.ts.
 *
 * One pass over the bytes: the body is cut after its last newline first, so every loop meets a newline before the end.
 */

export interface ParseOptions {
  /** Label whose value is the routing key. */
  readonly shardLabel: string;
  /** Timestamp of samples that have none, in milliseconds since the epoch. */
  readonly receiveTime: number;
}

const reservedLabel = Buffer.from("__name__");
/** From here on a double may be rounded; exact arithmetic decides. */
const longestExact = 2 ** 53;
const largestTimestamp = 2n ** 63n - 1n;

/**
 * Reads a body.
 * @throws ExpositionError for the first line that is not accepted; nothing else is ever thrown.
 */
export function parseExposition(body: Buffer, options: ParseOptions): Samples {
  if (!isUtf8(body)) throw new ExpositionError(firstInvalidLine(body), "not valid UTF-8");
  return new BodyReader(body, options).read();
}

class BodyReader {
  readonly #body: Buffer;
  readonly #columns: SampleColumns;
  readonly #rewriter: Rewriter;
  readonly #shardLabel: Buffer;
  readonly #receiveTime: number;
  readonly #receiveTimeDigits: Buffer;
  readonly #spans = new LabelSpans();
  #line = 1;
  /** Set by `#timestamp`: milliseconds. */
  #timestampRead = 0;
  /** Set by `#labels`: inside of the shard label's quotes. */
  #keyStart = 0;
  #keyEnd = 0;
  /** Set by `#labels`: names ascending, so none is there twice; no empty value, no blank, no comma at the end. */
  #labelsCanonical = true;

  constructor(body: Buffer, options: ParseOptions) {
    this.#body = body;
    this.#columns = new SampleColumns(body.length);
    this.#rewriter = new Rewriter(body);
    this.#shardLabel = Buffer.from(options.shardLabel, "latin1");
    this.#receiveTime = options.receiveTime;
    this.#receiveTimeDigits = Buffer.from(String(options.receiveTime), "latin1");
  }

  read(): Samples {
    const body = this.#body;
    const end = body.lastIndexOf(newline) + 1;
    let at = 0;
    while (at < end) {
      const first = skipBlanks(body, at);
      const byte = body[first];
      if (byte === newline) at = first + 1;
      else if (byte === hash) at = skipComment(body, first, this.#line);
      else at = this.#sample(at, first);
      this.#line += 1;
    }
    if (skipBlanks(body, end) < body.length) throw this.#error("the last line does not end with a newline");
    return this.#columns.finish(this.#rewriter.finish());
  }

  /** Reads the sample of the line at `lineAt`, whose first byte that is no blank is at `nameAt`; returns the next line. */
  #sample(lineAt: number, nameAt: number): number {
    const body = this.#body;
    if ((classOf(body, nameAt) & nameStart) === 0) throw this.#badStart(nameAt);
    let nameEnd = nameAt + 1;
    while ((classOf(body, nameEnd) & nameRest) !== 0) nameEnd += 1;
    let valueAt = skipBlanks(body, nameEnd);
    let seriesEnd = nameEnd;
    let canonical = nameAt === lineAt;
    this.#keyStart = 0;
    this.#keyEnd = 0;
    this.#spans.count = 0;
    if (body[valueAt] === braceOpen) {
      this.#labelsCanonical = valueAt === nameEnd;
      seriesEnd = this.#labels(valueAt + 1);
      canonical = canonical && this.#labelsCanonical;
      valueAt = skipBlanks(body, seriesEnd);
    }
    const valueEnd = endOfFloat(body, valueAt);
    if (valueEnd < 0) throw this.#error(floatProblem(body, valueAt));
    canonical = canonical && valueAt === seriesEnd + 1 && body[seriesEnd] === blank;

    if (body[valueEnd] === newline) {
      const timestamp = this.#receiveTimeDigits;
      const line = canonical
        ? this.#rewriter.addTimestamp(nameAt, seriesEnd, valueEnd, timestamp)
        : this.#rewrite(nameAt, nameEnd, valueAt, valueEnd, timestamp);
      this.#add(this.#rewriter.bytes, line, this.#receiveTime);
      return valueEnd + 1;
    }
    const timestampAt = skipBlanks(body, valueEnd);
    const lineEnd = this.#timestamp(timestampAt);
    canonical = canonical && timestampAt === valueEnd + 1 && body[valueEnd] === blank;
    if (canonical && (body[timestampAt] !== zero || lineEnd === timestampAt + 1)) {
      this.#add(body, { start: nameAt, seriesEnd, end: lineEnd + 1 }, this.#timestampRead);
    } else {
      const digits = withoutZeros(body, timestampAt, lineEnd);
      const line = this.#rewrite(nameAt, nameEnd, valueAt, valueEnd, digits);
      this.#add(this.#rewriter.bytes, line, this.#timestampRead);
    }
    return lineEnd + 1;
  }

  /** Reads labels from after the `{`; returns the position after the `}`. */
  #labels(from: number): number {
    const body = this.#body;
    let previousStart = 0;
    let previousEnd = 0;
    let at = from;
    for (;;) {
      const nameAt = skipBlanks(body, at);
      if (body[nameAt] === braceClose) {
        // Canonical lines have neither `{}` nor `,}`.
        this.#labelsCanonical = false;
        return nameAt + 1;
      }
      if ((classOf(body, nameAt) & labelStart) === 0) throw this.#badLabelName(nameAt);
      let nameEnd = nameAt + 1;
      while ((classOf(body, nameEnd) & labelRest) !== 0) nameEnd += 1;
      const equalsAt = skipBlanks(body, nameEnd);
      if (body[equalsAt] !== equals) throw this.#expected('"=" after the label name', equalsAt);
      const quoteAt = skipBlanks(body, equalsAt + 1);
      if (body[quoteAt] !== quote) throw this.#expected("a quoted label value", quoteAt);
      const valueEnd = this.#endOfLabelValue(quoteAt + 1);
      this.#noteLabel(nameAt, nameEnd, quoteAt + 1, valueEnd);
      if (
        nameAt !== at ||
        quoteAt !== nameEnd + 1 ||
        valueEnd === quoteAt + 1 ||
        (previousEnd > 0 && !ascending(body, previousStart, previousEnd, nameAt, nameEnd))
      ) {
        this.#labelsCanonical = false;
      }
      previousStart = nameAt;
      previousEnd = nameEnd;
      const next = skipBlanks(body, valueEnd + 1);
      if (next !== valueEnd + 1) this.#labelsCanonical = false;
      if (body[next] === braceClose) return next + 1;
      if (body[next] !== comma) throw this.#expected('"," or "}" after the label value', next);
      at = next + 1;
    }
  }

  /** Position of the closing quote of the label value that starts at `from`. */
  #endOfLabelValue(from: number): number {
    const body = this.#body;
    for (let at = from; ; at += 1) {
      const byte = body[at];
      if (byte === quote) return at;
      if (byte === newline) throw this.#error("label value has no closing quote on its line");
      if (byte === backslash) {
        at += 1;
        const escaped = body[at];
        if (escaped !== quote && escaped !== backslash && escaped !== letterN) {
          throw this.#error('invalid escape sequence in a label value (allowed: \\\\, \\", \\n)');
        }
      }
    }
  }

  /** Remembers the label, and the routing key if it is one; refuses the reserved name. */
  #noteLabel(nameAt: number, nameEnd: number, valueAt: number, valueEnd: number): void {
    const body = this.#body;
    const shardLabel = this.#shardLabel;
    this.#spans.add(nameAt, nameEnd, valueAt, valueEnd);
    if (samePiece(body, nameAt, nameEnd, shardLabel, 0, shardLabel.length)) {
      this.#keyStart = valueAt;
      this.#keyEnd = valueEnd;
    } else if (samePiece(body, nameAt, nameEnd, reservedLabel, 0, reservedLabel.length)) {
      throw this.#error('label name "__name__" is reserved');
    }
  }

  /** Reads the timestamp at `from` into `#timestampRead`; returns the position of the newline. */
  #timestamp(from: number): number {
    const body = this.#body;
    let value = 0;
    let at = from;
    for (; ; at += 1) {
      const digit = (body[at] ?? 0) - zero;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (body[at] !== newline || at === from) throw this.#badTimestamp(from, at);
    if (value >= longestExact && BigInt(body.toString("latin1", from, at)) > largestTimestamp) {
      throw this.#error(`timestamp ${showBytes(body, from, at)} is beyond the range of a 64 bit integer`);
    }
    this.#timestampRead = value;
    return at;
  }

  #rewrite(
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    timestamp: Uint8Array,
  ): RewrittenLine {
    const parts = { nameStart, nameEnd, valueStart, valueEnd, timestamp, line: this.#line };
    return this.#rewriter.rewrite(parts, this.#spans);
  }

  #add(bytes: Buffer, line: RewrittenLine, timestamp: number): void {
    const columns = this.#columns;
    columns.reserve();
    const at = columns.count;
    const base = bytes === this.#body ? 0 : this.#body.length;
    columns.line[at] = this.#line;
    columns.start[at] = base + line.start;
    columns.seriesEnd[at] = base + line.seriesEnd;
    columns.end[at] = base + line.end;
    columns.seriesHash[at] = hashBytes(bytes, line.start, line.seriesEnd);
    columns.keyStart[at] = this.#keyStart;
    columns.keyEnd[at] = this.#keyEnd;
    columns.timestamp[at] = timestamp;
    columns.count = at + 1;
  }

  #error(reason: string): ExpositionError {
    return new ExpositionError(this.#line, reason);
  }

  #expected(what: string, at: number): ExpositionError {
    const body = this.#body;
    return this.#error(
      `expected ${what}, found ${body[at] === newline ? "the end of the line" : showCharacter(body, at)}`,
    );
  }

  #badStart(at: number): ExpositionError {
    if (this.#body[at] === braceOpen)
      return this.#error("metric name before the braces is missing (quoted names are not supported)");
    return this.#expected("a metric name", at);
  }

  #badLabelName(at: number): ExpositionError {
    if (this.#body[at] === quote) return this.#error("quoted label names are not supported");
    return this.#expected("a label name", at);
  }

  #badTimestamp(from: number, at: number): ExpositionError {
    const body = this.#body;
    if (body[at] === newline) return this.#error("blank after the value, but no timestamp");
    const end = body.indexOf(newline, at);
    if (at === from) {
      return this.#error(`expected a timestamp in milliseconds (digits only), found ${showBytes(body, from, end)}`);
    }
    return this.#error(`unexpected ${showBytes(body, at, end)} after the timestamp`);
  }
}

/** Digits without leading zeros, which both parsers allow in a timestamp. */
function withoutZeros(bytes: Buffer, from: number, to: number): Buffer {
  let first = from;
  while (first < to - 1 && bytes[first] === zero) first += 1;
  return bytes.subarray(first, to);
}
