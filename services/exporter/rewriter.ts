import { ExpositionError } from "./exposition-error";
import { ascending, blank, braceClose, braceOpen, comma, equals, newline, quote } from "./text-bytes";

/** Where the labels of the line in hand are, in the order written. Used again for each line. */
export class LabelSpans {
  count = 0;
  nameStart = new Uint32Array(64);
  nameEnd = new Uint32Array(64);
  valueStart = new Uint32Array(64);
  valueEnd = new Uint32Array(64);

  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.count;
    if (at === this.nameStart.length) this.#grow();
    this.nameStart[at] = nameStart;
    this.nameEnd[at] = nameEnd;
    this.valueStart[at] = valueStart;
    this.valueEnd[at] = valueEnd;
    this.count = at + 1;
  }

  #grow(): void {
    for (const column of ["nameStart", "nameEnd", "valueStart", "valueEnd"] as const) {
      const larger = new Uint32Array(this.count * 2);
      larger.set(this[column]);
      this[column] = larger;
    }
  }
}

/** A rewritten line, as positions in `Rewriter.bytes`. */
export interface RewrittenLine {
  readonly start: number;
  readonly seriesEnd: number;
  readonly end: number;
}

/** The parts of one line that has passed the parser, as positions in the body. */
export interface LineParts {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Milliseconds in decimal digits. */
  readonly timestamp: Uint8Array;
  /** Line number, for errors. */
  readonly line: number;
}

/**
 * Writes the lines that were not canonical: labels sorted by name, empty ones dropped (Prometheus drops them too), single
 * blanks, a timestamp. Values of labels keep their bytes: each has exactly one escaped form in the text format.
 */
export class Rewriter {
  readonly #body: Buffer;
  #text = Buffer.allocUnsafe(0);
  #length = 0;
  /** Label numbers in the order of their names. */
  readonly #order: number[] = [];

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** The lines written so far and room for more. Another buffer after each growth. */
  get bytes(): Buffer {
    return this.#text;
  }

  /** The body, followed by the lines written. */
  finish(): Buffer {
    return this.#length === 0 ? this.#body : Buffer.concat([this.#body, this.#text.subarray(0, this.#length)]);
  }

  /** Copies a line that only lacks its timestamp: `body[start, valueEnd)` is already canonical. */
  addTimestamp(start: number, seriesEnd: number, valueEnd: number, timestamp: Uint8Array): RewrittenLine {
    const at = this.#length;
    this.#reserve(valueEnd - start + timestamp.length + 2);
    this.#length += this.#body.copy(this.#text, at, start, valueEnd);
    this.#finishLine(timestamp);
    return { start: at, seriesEnd: at + seriesEnd - start, end: this.#length };
  }

  /**
   * Writes one line from its parts.
   * @throws ExpositionError when a label is there twice.
   */
  rewrite(parts: LineParts, labels: LabelSpans): RewrittenLine {
    const order = this.#sort(labels, parts.line);
    // At most: what was written, plus two quotes, an equals sign, a comma or brace for each label.
    let size = parts.nameEnd - parts.nameStart + parts.valueEnd - parts.valueStart + parts.timestamp.length + 6;
    for (const one of order) size += at(labels.nameEnd, one) - at(labels.nameStart, one) + 4;
    for (const one of order) size += at(labels.valueEnd, one) - at(labels.valueStart, one);
    this.#reserve(size);
    const start = this.#length;
    this.#copy(parts.nameStart, parts.nameEnd);
    let separator = braceOpen;
    for (const one of order) {
      if (at(labels.valueEnd, one) === at(labels.valueStart, one)) continue;
      this.#put(separator);
      separator = comma;
      this.#copy(at(labels.nameStart, one), at(labels.nameEnd, one));
      this.#put(equals);
      this.#put(quote);
      this.#copy(at(labels.valueStart, one), at(labels.valueEnd, one));
      this.#put(quote);
    }
    if (separator === comma) this.#put(braceClose);
    const seriesEnd = this.#length;
    this.#put(blank);
    this.#copy(parts.valueStart, parts.valueEnd);
    this.#finishLine(parts.timestamp);
    return { start, seriesEnd, end: this.#length };
  }

  /** Insertion sort: few labels, and most lines have theirs nearly in order. */
  #sort(labels: LabelSpans, line: number): readonly number[] {
    const order = this.#order;
    order.length = 0;
    for (let one = 0; one < labels.count; one += 1) {
      let place = one;
      for (; place > 0; place -= 1) {
        const before = order[place - 1] ?? 0;
        if (this.#ascending(labels, before, one)) break;
        if (!this.#ascending(labels, one, before)) {
          const name = this.#body.toString("latin1", at(labels.nameStart, one), at(labels.nameEnd, one));
          throw new ExpositionError(line, `duplicate label ${name}`);
        }
        order[place] = before;
      }
      order[place] = one;
    }
    return order;
  }

  #ascending({ nameStart, nameEnd }: LabelSpans, left: number, right: number): boolean {
    return ascending(this.#body, at(nameStart, left), at(nameEnd, left), at(nameStart, right), at(nameEnd, right));
  }

  #finishLine(timestamp: Uint8Array): void {
    this.#put(blank);
    for (const digit of timestamp) this.#put(digit);
    this.#put(newline);
  }

  #put(byte: number): void {
    this.#text[this.#length] = byte;
    this.#length += 1;
  }

  /** Byte by byte: for the few bytes of a name or value that is faster than a call out of JavaScript. */
  #copy(from: number, to: number): void {
    const source = this.#body;
    const target = this.#text;
    let length = this.#length;
    for (let position = from; position < to; position += 1) {
      target[length] = source[position] ?? 0;
      length += 1;
    }
    this.#length = length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#text.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#text.length * 2, 4096));
    this.#text.copy(larger, 0, 0, this.#length);
    this.#text = larger;
  }
}

function at(column: Uint32Array, position: number): number {
  return column[position] ?? 0;
}
