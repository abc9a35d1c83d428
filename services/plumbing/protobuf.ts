/**
 * The protobuf wire format, as far as adapter and gate need it: a handful of small messages and large ones, each
 * written in one pass. A package for it would be ten times the size of everything else in the bundle. What is pushed is
 * read by protobuf-reader.ts.
 */

/** A field as it is on the wire. */
export interface Field {
  readonly number: number;
  /** Varints and fixed-width numbers; 0 for a length-delimited field. Exact up to 2^53. */
  readonly value: number;
  /** Content of a length-delimited field (string, bytes, message); empty for numbers. */
  readonly bytes: Buffer;
}

const nothing = Buffer.alloc(0);

/** A message that can't be read. */
export class ProtobufError extends Error {}

/**
 * All fields of a message, in their order.
 * @throws ProtobufError
 */
export function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new ProtobufError("truncated message");
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new ProtobufError("varint too long");
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    const width = { 1: 8, 5: 4 }[tag % 8];
    if (tag % 8 === 0) {
      fields.push({ number, value: Number(BigInt.asIntN(64, varint())), bytes: nothing });
    } else if (tag % 8 === 2 || width !== undefined) {
      const length = width ?? Number(varint());
      if (at + length > message.length) throw new ProtobufError("truncated message");
      const bytes = message.subarray(at, at + length);
      const value = width === 8 ? bytes.readDoubleLE() : 0;
      fields.push({ number, value, bytes: width === undefined ? bytes : nothing });
      at += length;
    } else {
      throw new ProtobufError(`unknown wire type ${String(tag % 8)}`);
    }
  }
  return fields;
}

/** An int64 or enum field. */
export function varintField(number: number, value: number | bigint): Buffer {
  const unsigned = typeof value === "number" && value >= 0 ? value : BigInt.asUintN(64, BigInt(value));
  return Buffer.concat([varint(number * 8), varint(unsigned)]);
}

/** A string, bytes or message field. */
export function bytesField(number: number, content: Buffer | string): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return Buffer.concat([fieldHead(number, bytes.length), bytes]);
}

/** What comes before the content of a string, bytes or message field. */
export function fieldHead(number: number, length: number): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(length)]);
}

/** A number in 7 bit groups, the lowest first. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
    let small = value;
    for (; small >= 0x80; small = Math.floor(small / 0x80)) bytes.push((small % 0x80) | 0x80);
    bytes.push(small);
    return Buffer.from(bytes);
  }
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
