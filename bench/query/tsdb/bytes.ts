/** Numbers and texts as Prometheus' files hold them. */

/** CRC-32C (Castagnoli), which zlib's crc32 is not. */
const table = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  table[byte] = value;
}

export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  let crc = -1;
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return (crc ^ -1) >>> 0;
}

/** Bytes that are appended to; big endian. */
export class Bytes {
  #buffer: Buffer;
  #length = 0;

  /** @param capacity First guess, bytes; it grows. */
  constructor(capacity = 1 << 16) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  view(start = 0, end = this.#length): Buffer {
    return this.#buffer.subarray(start, end);
  }

  /** Forgets everything. */
  clear(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    this.#room(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  u32(value: number): void {
    this.#room(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  /** A whole number from 0 to 2^53. */
  u64(value: number): void {
    this.u32(Math.floor(value / 0x1_0000_0000));
    this.u32(value % 0x1_0000_0000);
  }

  f64(value: number): void {
    this.#room(8);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
  }

  /** A whole number from 0 to 2^53, seven bits a byte. */
  uvarint(value: number): void {
    this.#room(8);
    let rest = value;
    while (rest > 0x7fff_ffff) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** A whole number of up to 52 bits with its sign (zigzag). */
  varint(value: number): void {
    this.uvarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(value: Buffer): void {
    this.#room(value.length);
    this.#length += value.copy(this.#buffer, this.#length);
  }

  /** Length and text. Labels here are ASCII. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.uvarint(length);
    this.#room(length);
    this.#length += this.#buffer.write(value, this.#length);
  }

  /** Zeroes up to a multiple of `size`. */
  align(size: number): void {
    while (this.#length % size !== 0) this.u8(0);
  }

  /** CRC-32C of what was written since `start`. */
  crc(start: number): void {
    this.u32(crc32c(this.#buffer, start, this.#length));
  }

  /** Writes a number over four bytes that are there already. */
  u32At(position: number, value: number): void {
    this.#buffer.writeUInt32BE(value, position);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + more));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
