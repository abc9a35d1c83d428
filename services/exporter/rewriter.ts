import { ExpositionError } from "./exposition-error";
import type { LabelSpans } from "./label-spans";
import { blank, braceClose, braceOpen, comma, equals, newline, quote } from "./text-bytes";

/** Bytes that a rewritten line may be longer than its parts: quotes, braces, blanks, and the last word of a copy. */
const slack = 16;

/** Labels up to which insertion sort is the faster one. */
const fewLabels = 32;

/**
 * Writes the lines that were not canonical: labels sorted by name, empty ones dropped (Prometheus drops them too), single
 * blanks, a timestamp. Values of labels keep their bytes: each has exactly one escaped form in the text format.
 *
 * The lines go behind a copy of the body in one buffer, so that all canonical lines of a push are pieces of one text.
 */
export class Rewriter {
  /** The line written last: `text[start, end)`, its series `text[start, seriesEnd)`. */
  start = 0;
  seriesEnd = 0;
  end = 0;

  readonly #body: Buffer;
  #text: Buffer;
  #view: DataView;
  #length: number;
  /** Label numbers in the order of their names. */
  #order = new Uint32Array(64);

  constructor(body: Buffer) {
    this.#body = body;
    this.#text = body;
    this.#view = viewOf(body);
    this.#length = body.length;
  }

  /** The body, followed by the lines written. Another buffer after the first line and after each growth. */
  get view(): DataView {
    return this.#view;
  }

  finish(): Buffer {
    return this.#text === this.#body ? this.#body : this.#text.subarray(0, this.#length);
  }

  /** Copies a line that only lacks its timestamp: `body[start, valueEnd)` is already canonical. */
  addTimestamp(start: number, seriesEnd: number, valueEnd: number, timestamp: Uint8Array): void {
    this.#reserve(valueEnd - start + timestamp.length + slack);
    this.start = this.#length;
    this.seriesEnd = this.#length + seriesEnd - start;
    this.#copy(start, valueEnd);
    this.#finishLine(timestamp);
  }

  /**
   * Writes one line with its labels in order.
   * @param tailStart The blank before the value; `body[tailStart, tailEnd)` is already canonical up to the newline.
   * @param line Line number, for errors.
   * @throws ExpositionError when a label is there twice.
   */
  reorder(
    nameStart: number,
    nameEnd: number,
    tailStart: number,
    tailEnd: number,
    labels: LabelSpans,
    line: number,
  ): void {
    // No more bytes than were written: these labels have no blanks between them.
    this.#reserve(tailEnd - nameStart + slack);
    this.#series(nameStart, nameEnd, labels, line);
    this.#copy(tailStart, tailEnd);
    this.end = this.#length;
  }

  /**
   * Writes one line from its parts.
   * @param timestamp Milliseconds in decimal digits.
   * @param line Line number, for errors.
   * @throws ExpositionError when a label is there twice.
   */
  rewrite(
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    timestamp: Uint8Array,
    labels: LabelSpans,
    line: number,
  ): void {
    // At most what was written, and the timestamp if there was none: each label brings its quotes and one more byte.
    this.#reserve(valueEnd - nameStart + timestamp.length + slack);
    this.#series(nameStart, nameEnd, labels, line);
    this.#put(blank);
    this.#copy(valueStart, valueEnd);
    this.#finishLine(timestamp);
  }

  #series(nameStart: number, nameEnd: number, labels: LabelSpans, line: number): void {
    this.#sort(labels, line);
    const { count, nameStart: starts, nameEnd: ends, valueStart, valueEnd } = labels;
    const order = this.#order;
    this.start = this.#length;
    this.#copy(nameStart, nameEnd);
    let separator = braceOpen;
    for (let place = 0; place < count; place += 1) {
      const one = order[place] ?? 0;
      const from = valueStart[one] ?? 0;
      const to = valueEnd[one] ?? 0;
      if (from === to) continue;
      this.#put(separator);
      separator = comma;
      if (from === (ends[one] ?? 0) + 2) {
        this.#copy(starts[one] ?? 0, to);
      } else {
        this.#copy(starts[one] ?? 0, ends[one] ?? 0);
        this.#put(equals);
        this.#put(quote);
        this.#copy(from, to);
      }
      this.#put(quote);
    }
    if (separator === comma) this.#put(braceClose);
    this.seriesEnd = this.#length;
  }

  #sort(labels: LabelSpans, line: number): void {
    const { count } = labels;
    if (count > this.#order.length) this.#order = new Uint32Array(count * 2);
    if (count <= fewLabels) this.#insertionSort(labels, line);
    else this.#longSort(labels, line);
  }

  /** For nearly all lines: few labels, most of them in order already. */
  #insertionSort(labels: LabelSpans, line: number): void {
    const { count } = labels;
    const body = this.#body;
    const order = this.#order;
    for (let one = 0; one < count; one += 1) {
      let place = one;
      for (; place > 0; place -= 1) {
        const before = order[place - 1] ?? 0;
        if (labels.isBefore(body, before, one)) break;
        if (!labels.isBefore(body, one, before)) throw this.#duplicate(labels, one, line);
        order[place] = before;
      }
      order[place] = one;
    }
  }

  /** For lines that could hold up everybody: a body may be one line of a million labels. */
  #longSort(labels: LabelSpans, line: number): void {
    const { count } = labels;
    const body = this.#body;
    const order = this.#order.subarray(0, count);
    for (let one = 0; one < count; one += 1) order[one] = one;
    // Equal names stay as written, so that of each the second one is found, as above.
    order.sort((left, right) => {
      if (labels.isBefore(body, left, right)) return -1;
      return labels.isBefore(body, right, left) ? 1 : left - right;
    });
    let second = count;
    for (let place = 1; place < count; place += 1) {
      const one = order[place] ?? 0;
      if (one < second && !labels.isBefore(body, order[place - 1] ?? 0, one)) second = one;
    }
    if (second < count) throw this.#duplicate(labels, second, line);
  }

  #duplicate(labels: LabelSpans, one: number, line: number): ExpositionError {
    const name = this.#body.toString("latin1", labels.nameStart[one], labels.nameEnd[one]);
    return new ExpositionError(line, `duplicate label ${name}`);
  }

  #finishLine(timestamp: Uint8Array): void {
    this.#put(blank);
    for (const digit of timestamp) this.#put(digit);
    this.#put(newline);
    this.end = this.#length;
  }

  #put(byte: number): void {
    this.#view.setUint8(this.#length, byte);
    this.#length += 1;
  }

  /**
   * Four bytes at a time, which writes up to three too many: the next piece goes over them. For the few bytes of a label
   * that is faster than a call out of JavaScript.
   */
  #copy(from: number, to: number): void {
    const view = this.#view;
    let target = this.#length;
    for (let at = from; at < to; at += 4) {
      view.setInt32(target, view.getInt32(at, true), true);
      target += 4;
    }
    this.#length += to - from;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    // As long as nothing was written, the text is the body itself.
    if (needed <= this.#text.length && this.#text !== this.#body) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#length * 2) + 4096);
    this.#text.copy(larger, 0, 0, this.#length);
    this.#text = larger;
    this.#view = viewOf(larger);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
