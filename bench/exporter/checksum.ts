/**
 * What the load expects at a shard and what its sinks count: the number of lines, and the sum of a hash of each, which does
 * not depend on their order. Written here again rather than taken from the exporter, whose work it checks. Everything hot
 * is in this one file: under tsx, names of other modules are looked up at every use.
 */

const newline = 0x0a;
const blank = 0x20;
const prime = 0x9e3779b1 | 0;

/** Lines and the sum of their hashes, modulo 2^32. */
export interface Tally {
  lines: number;
  checksum: number;
}

/** 32 bit hash of a piece of `view`. */
export function hashOf(view: DataView, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), prime);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) {
    hash = Math.imul(hash ^ view.getUint8(at), prime);
    hash ^= hash >>> 13;
  }
  return hash;
}

/** Hash of a line from that of its series and that of the rest, which changes with every push. */
export function lineHash(series: number, rest: number): number {
  const hash = Math.imul(series ^ Math.imul(rest, 0x85ebca6b | 0), prime);
  return hash ^ (hash >>> 16);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function isAt(bytes: Buffer, at: number, piece: Buffer): boolean {
  return bytes.subarray(at, at + piece.length).equals(piece);
}

/** Counts the lines of one request's body, chunk by chunk; those that begin with `passedOver` are none of the load's. */
export class LineCounter {
  #rest: Buffer | undefined;
  readonly #tally: Tally;
  readonly #passedOver: Buffer;

  constructor(tally: Tally, passedOver: Buffer) {
    this.#tally = tally;
    this.#passedOver = passedOver;
  }

  add(chunk: Buffer): void {
    let at = 0;
    if (this.#rest !== undefined) {
      const end = chunk.indexOf(newline) + 1;
      const line = Buffer.concat([this.#rest, end === 0 ? chunk : chunk.subarray(0, end)]);
      if (end === 0) {
        this.#rest = line;
        return;
      }
      this.#rest = undefined;
      this.#count(line, 0);
      at = end;
    }
    at = this.#count(chunk, at);
    if (at < chunk.length) this.#rest = Buffer.from(chunk.subarray(at));
  }

  /** Whether the body ended with a newline. */
  get isWhole(): boolean {
    return this.#rest === undefined;
  }

  /** Counts whole lines from `from` on; returns the position after the last one. */
  #count(bytes: Buffer, from: number): number {
    const view = viewOf(bytes);
    const passedOver = this.#passedOver;
    let { lines, checksum } = this.#tally;
    let at = from;
    for (let end = bytes.indexOf(newline, at); end >= 0; end = bytes.indexOf(newline, at)) {
      // Value and timestamp hold no blank, so the series ends at the second one from the end.
      let seriesEnd = end;
      for (let blanks = 0; blanks < 2 && seriesEnd > at;) {
        seriesEnd -= 1;
        if (bytes[seriesEnd] === blank) blanks += 1;
      }
      if (bytes[at] !== passedOver[0] || !isAt(bytes, at, passedOver)) {
        lines += 1;
        checksum = (checksum + lineHash(hashOf(view, at, seriesEnd), hashOf(view, seriesEnd, end))) | 0;
      }
      at = end + 1;
    }
    this.#tally.lines = lines;
    this.#tally.checksum = checksum;
    return at;
  }
}
