/** Bytes of the text format and the classes they belong to. */

export const tab = 0x09;
export const newline = 0x0a;
export const blank = 0x20;
export const quote = 0x22;
export const hash = 0x23;
export const comma = 0x2c;
export const equals = 0x3d;
export const plus = 0x2b;
export const minus = 0x2d;
export const dot = 0x2e;
export const zero = 0x30;
export const nine = 0x39;
export const backslash = 0x5c;
export const letterN = 0x6e;
export const braceOpen = 0x7b;
export const braceClose = 0x7d;

export const labelStart = 1;
export const labelRest = 2;
export const nameStart = 4;
export const nameRest = 8;
/** Every byte of a label value but quote, backslash and newline. */
export const plainInValue = 16;

/** What each byte may be part of. */
export const byteClasses = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  const character = String.fromCharCode(byte);
  let bits = byte === quote || byte === backslash || byte === newline ? 0 : plainInValue;
  if (/[a-zA-Z_]/.test(character)) bits |= labelStart | labelRest | nameStart | nameRest;
  if (/[0-9]/.test(character)) bits |= labelRest | nameRest;
  if (character === ":") bits |= nameStart | nameRest;
  byteClasses[byte] = bits;
}

/** Bit set of the classes of the byte at `at`, which must be inside. */
export function classOf(bytes: Buffer, at: number): number {
  return byteClasses[bytes[at] ?? 0] ?? 0;
}

export function isBlank(bytes: Buffer, at: number): boolean {
  return bytes[at] === blank || bytes[at] === tab;
}

/** Position of the first byte from `from` on that is neither blank nor tab. */
export function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (isBlank(bytes, at)) at += 1;
  return at;
}

/** Whether the left name sorts before the right one. */
export function ascending(
  bytes: Uint8Array,
  leftAt: number,
  leftEnd: number,
  rightAt: number,
  rightEnd: number,
): boolean {
  let left = leftAt;
  let right = rightAt;
  for (; left < leftEnd && right < rightEnd; left += 1, right += 1) {
    const difference = (bytes[left] ?? 0) - (bytes[right] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return left === leftEnd && right < rightEnd;
}

/** Digits without leading zeros, which both parsers allow in a timestamp: `bytes[from, to)` without them. */
export function withoutZeros(bytes: Buffer, from: number, to: number): Buffer {
  let first = from;
  while (first < to - 1 && bytes[first] === zero) first += 1;
  return bytes.subarray(first, to);
}

const largestInt64 = "9223372036854775807";

/** Whether the number, digits without leading zeros, is larger than a signed 64 bit integer may be. A BigInt of megabytes takes seconds. */
export function passesInt64(digits: Buffer): boolean {
  if (digits.length !== largestInt64.length) return digits.length > largestInt64.length;
  return digits.toString("latin1") > largestInt64;
}
