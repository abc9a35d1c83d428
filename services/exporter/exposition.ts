import { isUtf8 } from "node:buffer";
import { CommonLine } from "./common-line";
import { hashView, samePiece } from "./hash";
import { skipComment } from "./comment";
import { badLabelName, badStart, badTimestamp, expected } from "./exposition-reasons";
import { ExpositionError, firstInvalidLine, showBytes } from "./exposition-error";
import { endOfFloat, floatProblem } from "./float-text";
import { beginningOf, LabelSpans } from "./label-spans";
import { Rewriter } from "./rewriter";
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
  passesInt64,
  quote,
  skipBlanks,
  withoutZeros,
  zero,
} from "./text-bytes";

/**
 * Strict reader of the Prometheus text format 0.0.4. It accepts what both the hub's parser (prometheus/common 0.9.1,
 * expfmt/text_parse.go) and Prometheus' own (3.14, model/textparse/promlex.l and promparse.go) accept, so that no line
 * can spoil a batch for others. docs/push-format.md lists where the two differ; the cases with their sources are in
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
/** From here on a double may be rounded; the digits decide. */
const longestExact = 2 ** 53;

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
  readonly #common: CommonLine;
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
    this.#common = new CommonLine(body, this.#shardLabel, this.#spans);
    this.#receiveTime = options.receiveTime;
    this.#receiveTimeDigits = Buffer.from(String(options.receiveTime), "latin1");
  }

  read(): Samples {
    const body = this.#body;
    const end = body.lastIndexOf(newline) + 1;
    let at = 0;
    while (at < end) {
      const lineEnd = this.#common.read(at);
      at = lineEnd < 0 ? this.#other(at) : this.#commonSample(at, lineEnd);
      this.#line += 1;
    }
    if (skipBlanks(body, end) < body.length) throw this.#error("the last line does not end with a newline");
    return this.#columns.finish(this.#rewriter.finish());
  }

  /** Takes the line at `lineAt`, which is of the common layout; returns the next line. */
  #commonSample(lineAt: number, lineEnd: number): number {
    const common = this.#common;
    const { seriesEnd, keyStart, keyEnd, timestamp } = common;
    this.#keyStart = keyStart;
    this.#keyEnd = keyEnd;
    const timestampAt = common.valueEnd + 1;
    if (this.#body[timestampAt] === zero && lineEnd > timestampAt + 1) {
      const digits = withoutZeros(this.#body, timestampAt, lineEnd);
      this.#rewrite(lineAt, common.nameEnd, seriesEnd + 1, common.valueEnd, digits, timestamp);
    } else if (common.isOrdered) {
      this.#add(lineAt, seriesEnd, lineEnd + 1, timestamp);
    } else {
      this.#rewriter.reorder(lineAt, common.nameEnd, seriesEnd, lineEnd + 1, this.#spans, this.#line);
      this.#addRewritten(timestamp);
    }
    return lineEnd + 1;
  }

  /** Reads any line but those of the common layout; returns the next line. */
  #other(lineAt: number): number {
    const body = this.#body;
    const first = skipBlanks(body, lineAt);
    const byte = body[first];
    if (byte === newline) return first + 1;
    return byte === hash ? skipComment(body, first, this.#line) : this.#sample(lineAt, first);
  }

  /** Reads the sample of the line at `lineAt`, whose first byte that is no blank is at `nameAt`; returns the next line. */
  #sample(lineAt: number, nameAt: number): number {
    const body = this.#body;
    if ((classOf(body, nameAt) & nameStart) === 0) throw this.#error(badStart(body, nameAt));
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
      if (canonical) {
        this.#rewriter.addTimestamp(nameAt, seriesEnd, valueEnd, this.#receiveTimeDigits);
        this.#addRewritten(this.#receiveTime);
      } else {
        this.#rewrite(nameAt, nameEnd, valueAt, valueEnd, this.#receiveTimeDigits, this.#receiveTime);
      }
      return valueEnd + 1;
    }
    const timestampAt = skipBlanks(body, valueEnd);
    const lineEnd = this.#timestamp(timestampAt);
    canonical = canonical && timestampAt === valueEnd + 1 && body[valueEnd] === blank;
    if (canonical && (body[timestampAt] !== zero || lineEnd === timestampAt + 1)) {
      this.#add(nameAt, seriesEnd, lineEnd + 1, this.#timestampRead);
    } else {
      const digits = withoutZeros(body, timestampAt, lineEnd);
      this.#rewrite(nameAt, nameEnd, valueAt, valueEnd, digits, this.#timestampRead);
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
      if ((classOf(body, nameAt) & labelStart) === 0) throw this.#error(badLabelName(body, nameAt));
      let nameEnd = nameAt + 1;
      while ((classOf(body, nameEnd) & labelRest) !== 0) nameEnd += 1;
      const equalsAt = skipBlanks(body, nameEnd);
      if (body[equalsAt] !== equals) throw this.#error(expected('"=" after the label name', body, equalsAt));
      const quoteAt = skipBlanks(body, equalsAt + 1);
      if (body[quoteAt] !== quote) throw this.#error(expected("a quoted label value", body, quoteAt));
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
      if (body[next] !== comma) throw this.#error(expected('"," or "}" after the label value', body, next));
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
    this.#spans.add(nameAt, nameEnd, valueAt, valueEnd, beginningOf(body, nameAt, nameEnd));
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
    if (body[at] !== newline || at === from) throw this.#error(badTimestamp(body, from, at));
    if (value >= longestExact && passesInt64(withoutZeros(body, from, at))) {
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
    digits: Uint8Array,
    timestamp: number,
  ): void {
    this.#rewriter.rewrite(nameStart, nameEnd, valueStart, valueEnd, digits, this.#spans, this.#line);
    this.#addRewritten(timestamp);
  }

  /** Adds the line that the rewriter wrote last. */
  #addRewritten(timestamp: number): void {
    this.#add(this.#rewriter.start, this.#rewriter.seriesEnd, this.#rewriter.end, timestamp);
  }

  /** Adds a canonical line, as positions in the rewriter's text, which begins with the body. */
  #add(start: number, seriesEnd: number, end: number, timestamp: number): void {
    const columns = this.#columns;
    columns.reserve();
    const at = columns.count;
    columns.line[at] = this.#line;
    columns.start[at] = start;
    columns.seriesEnd[at] = seriesEnd;
    columns.end[at] = end;
    columns.seriesHash[at] = hashView(this.#rewriter.view, start, seriesEnd);
    columns.keyStart[at] = this.#keyStart;
    columns.keyEnd[at] = this.#keyEnd;
    columns.timestamp[at] = timestamp;
    columns.count = at + 1;
  }

  #error(reason: string): ExpositionError {
    return new ExpositionError(this.#line, reason);
  }
}
