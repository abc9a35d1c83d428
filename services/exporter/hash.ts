import { randomBytes } from "node:crypto";

/** Differs from process to process, so that nobody can prepare series that all fall into one slot. */
const seed = randomBytes(4).readInt32LE(0);
const prime = 0x9e3779b1 | 0;

/** 32 bit hash of bytes[start, end), four bytes at a time; for hash tables inside one process only. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = seed ^ (end - start);
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const word =
      (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    hash = Math.imul(hash ^ word, prime);
    hash ^= hash >>> 15;
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), prime);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x85ebca6b | 0);
  return hash ^ (hash >>> 16);
}

/**
 * 32 bit hash of a piece of `view`, eight bytes at a time in two lanes that the processor works on side by side. Other
 * numbers than `hashBytes`.
 */
export function hashView(view: DataView, start: number, end: number): number {
  let even = seed ^ (end - start);
  let odd = ~seed;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) {
    even = Math.imul(even ^ view.getInt32(at, true), prime);
    even ^= even >>> 15;
    odd = Math.imul(odd ^ view.getInt32(at + 4, true), prime);
    odd ^= odd >>> 15;
  }
  for (; at < end; at += 1) even = Math.imul(even ^ view.getUint8(at), prime);
  let hash = even ^ Math.imul(odd ^ (odd >>> 13), 0x85ebca6b | 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35 | 0);
  return hash ^ (hash >>> 13);
}

/** Whether two pieces of `bytes` are equal. */
export function samePiece(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): boolean {
  const length = leftEnd - leftStart;
  if (length !== rightEnd - rightStart) return false;
  for (let at = 0; at < length; at += 1) if (left[leftStart + at] !== right[rightStart + at]) return false;
  return true;
}
