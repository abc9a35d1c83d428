import type { Samples } from "./samples";

/** Pieces up to this many bytes are copied by our own loop: a call out of JavaScript costs more than their bytes. */
const shortPiece = 400;

/**
 * The body for one hub: the canonical lines of `chosen` (ascending indexes). Neighbouring lines are copied as one piece,
 * and a push that goes to one shard as it came is not copied at all.
 */
export function bodyOf({ text, start, end }: Samples, chosen: Uint32Array): Buffer {
  let total = 0;
  let pieces = 0;
  let previousEnd = -1;
  for (const at of chosen) {
    const from = start[at] ?? 0;
    const to = end[at] ?? 0;
    total += to - from;
    if (from !== previousEnd) pieces += 1;
    previousEnd = to;
  }
  if (pieces <= 1) {
    const from = start[chosen[0] ?? 0] ?? 0;
    return text.subarray(from, from + total);
  }
  const writer = new PieceWriter(text, total);
  let pieceStart = 0;
  let pieceEnd = 0;
  for (const at of chosen) {
    const from = start[at] ?? 0;
    if (from !== pieceEnd) {
      writer.copy(pieceStart, pieceEnd);
      pieceStart = from;
    }
    pieceEnd = end[at] ?? 0;
  }
  writer.copy(pieceStart, pieceEnd);
  return writer.body;
}

/** Puts pieces of `text` one behind the other. */
class PieceWriter {
  readonly body: Buffer;
  readonly #text: Buffer;
  readonly #source: DataView;
  readonly #target: DataView;
  #length = 0;

  constructor(text: Buffer, total: number) {
    this.body = Buffer.allocUnsafe(total);
    this.#text = text;
    this.#source = new DataView(text.buffer, text.byteOffset, text.length);
    this.#target = new DataView(this.body.buffer, this.body.byteOffset, total);
  }

  copy(from: number, to: number): void {
    if (to - from > shortPiece) {
      this.#length += this.#text.copy(this.body, this.#length, from, to);
      return;
    }
    const source = this.#source;
    const target = this.#target;
    let length = this.#length;
    let at = from;
    for (; at + 4 <= to; at += 4) {
      target.setInt32(length, source.getInt32(at, true), true);
      length += 4;
    }
    for (; at < to; at += 1) {
      target.setUint8(length, source.getUint8(at));
      length += 1;
    }
    this.#length = length;
  }
}
