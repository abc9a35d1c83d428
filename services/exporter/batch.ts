import type { Samples } from "./samples";

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
  const body = Buffer.allocUnsafe(total);
  let written = 0;
  let pieceStart = 0;
  let pieceEnd = 0;
  for (const at of chosen) {
    const from = start[at] ?? 0;
    if (from !== pieceEnd) {
      written += text.copy(body, written, pieceStart, pieceEnd);
      pieceStart = from;
    }
    pieceEnd = end[at] ?? 0;
  }
  text.copy(body, written, pieceStart, pieceEnd);
  return body;
}
