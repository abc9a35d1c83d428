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
