import { fieldHead, varint } from "../plumbing/protobuf";
import { ProtobufReader } from "../plumbing/protobuf-reader";

/** Largest encoding of one sample: tag, length, tag, 8 bytes, tag, 10 bytes. */
const sampleBytes = 22;
/** Bytes of which many series have their share: a buffer for each would cost more than writing it. */
const slabBytes = 64 * 1024;
/** Up to so many bytes a loop is faster than a call that leaves JavaScript. */
const shortBytes = 40;
/** Bit operations work on 32 bits: times are written in pieces of 28 bits, four groups of seven. */
const piece = 2 ** 28;

/**
 * Writes the content of one `TimeSeries` after the other, with labels {name = 1, value = 2} as field 1 and samples
 * {double value = 1, int64 timestamp = 2} as field 2.
 */
export class TimeSeriesWriter {
  #bytes = Buffer.alloc(0);
  #view = viewOf(this.#bytes);
  /** Where the series begins that is being written, and how far it is. */
  #start = 0;
  #at = 0;

  /** Adds one label, or other fields, as they are on the wire. */
  raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    this.#at += bytes.copy(this.#bytes, this.#at);
  }

  /** Adds a label; name and value stand in `bytes` from their starts to before their ends. */
  label(bytes: Buffer, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const name = nameEnd - nameStart;
    const value = valueEnd - valueStart;
    // Tags and lengths of up to 5 bytes.
    this.#reserve(name + value + 18);
    this.#length(0x0a, 2 + lengthBytes(name) + name + lengthBytes(value) + value);
    this.#length(0x0a, name);
    this.#copy(bytes, nameStart, nameEnd);
    this.#length(0x12, value);
    this.#copy(bytes, valueStart, valueEnd);
  }

  /** @param time Whole milliseconds since the epoch. */
  sample(time: number, value: number): void {
    this.#reserve(sampleBytes);
    const bytes = this.#bytes;
    const start = this.#at;
    bytes[start] = 0x12;
    bytes[start + 2] = 0x09;
    this.#view.setFloat64(start + 3, value, true);
    bytes[start + 11] = 0x10;
    let at = start + 12;
    if (time < 0) {
      at += varint(BigInt.asUintN(64, BigInt(time))).copy(bytes, at);
    } else {
      let high = Math.floor(time / piece);
      let low = time - high * piece;
      if (high > 0) {
        for (let group = 0; group < 4; group++, low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
        [low, high] = [high, 0];
      }
      for (; low >= 0x80; low >>>= 7) bytes[at++] = (low & 0x7f) | 0x80;
      bytes[at++] = low;
    }
    bytes[start + 1] = at - start - 2;
    this.#at = at;
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** What was written; the next series begins. */
  take(): Buffer {
    const content = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return content;
  }

  /** A tag and a length. */
  #length(tag: number, length: number): void {
    this.#at = writeHead(this.#bytes, this.#at, tag, length);
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    if (end - start > shortBytes) {
      this.#at += bytes.copy(this.#bytes, this.#at, start, end);
      return;
    }
    const target = this.#bytes;
    let at = this.#at;
    for (let from = start; from < end; from++) target[at++] = bytes[from] ?? 0;
    this.#at = at;
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const next = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (this.length + size)));
    this.#at = this.#bytes.copy(next, 0, this.#start, this.#at);
    this.#start = 0;
    this.#bytes = next;
    this.#view = viewOf(next);
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function lengthBytes(length: number): number {
  let count = 1;
  for (let rest = length; rest >= 0x80; rest >>>= 7) count += 1;
  return count;
}

/**
 * Answers' messages for some series, each given as the content of its `TimeSeries`, in pieces.
 * @param single Number of the field that holds one series: 2 in answers to queries, 1 in those of the Store API.
 */
export function* encodeSeries(series: Iterable<readonly Buffer[]>, batchSize: number, single = 2): Generator<Buffer> {
  if (batchSize <= 1) {
    for (const one of series) yield Buffer.concat([fieldHead(single, lengthOf(one)), ...one]);
    return;
  }
  let batch: (readonly Buffer[])[] = [];
  for (const one of series) {
    batch.push(one);
    if (batch.length < batchSize) continue;
    yield encodeBatch(batch);
    batch = [];
  }
  if (batch.length > 0) yield encodeBatch(batch);
}

/** A batch is field 4 of an answer, and a series is field 1 of it. */
function encodeBatch(batch: readonly (readonly Buffer[])[]): Buffer {
  let size = 0;
  for (const one of batch) {
    const length = lengthOf(one);
    size += 1 + lengthBytes(length) + length;
  }
  // One buffer for all: one for each head would cost more than all else.
  const bytes = Buffer.allocUnsafe(1 + lengthBytes(size) + size);
  let at = writeHead(bytes, 0, 0x22, size);
  for (const one of batch) {
    at = writeHead(bytes, at, 0x0a, lengthOf(one));
    for (const piece of one) at += piece.copy(bytes, at);
  }
  return bytes;
}

/** Writes a tag and a length; returns where they end. */
function writeHead(bytes: Buffer, start: number, tag: number, length: number): number {
  let at = start;
  bytes[at++] = tag;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

function lengthOf(pieces: readonly Buffer[]): number {
  let sum = 0;
  for (const { length } of pieces) sum += length;
  return sum;
}

/** One `TimeSeries`. */
export interface DecodedSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** Times in milliseconds since the epoch. */
  readonly samples: readonly (readonly [time: number, value: number])[];
}

/**
 * Reads the content of a `TimeSeries`.
 * @throws ProtobufError
 */
export function decodeSeries(content: Buffer): DecodedSeries {
  const labels: Record<string, string> = {};
  const samples: [number, number][] = [];
  for (const reader = new ProtobufReader(content); reader.next();) {
    const isLabel = reader.field === 1;
    const inner = reader.message();
    let [name, text, time, value] = ["", "", 0, 0];
    while (inner.next()) {
      if (!isLabel && inner.field === 1) value = inner.double();
      else if (!isLabel) time = inner.signed();
      else {
        inner.span();
        const found = content.toString("utf8", inner.spanStart, inner.spanEnd);
        if (inner.field === 1) name = found;
        else text = found;
      }
    }
    if (isLabel) labels[name] = text;
    else samples.push([time, value]);
  }
  return { labels, samples };
}
