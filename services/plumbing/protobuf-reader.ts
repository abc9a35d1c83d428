import { ProtobufError } from "./protobuf";

/** A varint is read in pieces of 28, 28 and 8 bits, because bit operations work on 32. */
const pieceBits = 28;
const secondUnit = 2 ** pieceBits;
/** Below this in the second piece, and with nothing in the third, a varint is exact as a double. */
const exactMiddle = 2 ** (53 - pieceBits);

/**
 * Walks over the fields of one message without making an object of each, for messages with millions of them. After
 * `next`, exactly one of the other methods takes the field's content; each throws ProtobufError when the content is cut
 * off or is of another wire type than the field should be.
 */
export class ProtobufReader {
  /** Number of the field that `next` has found. */
  field = 0;
  /** Set by `span`: content of a string or bytes field, as positions in `bytes`. */
  spanStart = 0;
  spanEnd = 0;
  #wire = 0;
  /** Pieces of the last varint. */
  #low = 0;
  #middle = 0;
  #high = 0;
  #isLast = true;
  #at: number;
  readonly #end: number;

  constructor(
    readonly bytes: Buffer,
    start = 0,
    end = bytes.length,
  ) {
    this.#at = start;
    this.#end = end;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.#wire = tag % 8;
    this.field = (tag - this.#wire) / 8;
    if (this.field === 0) throw new ProtobufError("field number 0");
    return true;
  }

  /** A double. */
  double(): number {
    this.#expect(1);
    const at = this.#advance(8);
    return this.bytes.readDoubleLE(at);
  }

  /** A uint64 or enum; rounded beyond 2^53. */
  unsigned(): number {
    this.#expect(0);
    return this.#varint();
  }

  /** An int64; rounded beyond 2^53. */
  signed(): number {
    const value = this.unsigned();
    return this.#high < 0x80 ? value : Number(BigInt.asIntN(64, this.#exact()));
  }

  /** A string or bytes: puts its place into `spanStart` and `spanEnd`. */
  span(): void {
    this.#expect(2);
    const length = this.#varint();
    this.spanStart = this.#advance(length);
    this.spanEnd = this.#at;
  }

  /** A message. */
  message(): ProtobufReader {
    this.span();
    return new ProtobufReader(this.bytes, this.spanStart, this.spanEnd);
  }

  /** A field that nobody wants. */
  skip(): void {
    switch (this.#wire) {
      case 0:
        this.#varint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#advance(this.#varint());
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw new ProtobufError(`unknown wire type ${String(this.#wire)}`);
    }
  }

  #expect(wire: number): void {
    if (this.#wire === wire) return;
    throw new ProtobufError(`field ${String(this.field)} has wire type ${String(this.#wire)}, not ${String(wire)}`);
  }

  /** Goes over `length` bytes; returns where they start. */
  #advance(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw new ProtobufError("truncated message");
    this.#at = start + length;
    return start;
  }

  #varint(): number {
    this.#low = this.#piece(4);
    this.#middle = this.#isLast ? 0 : this.#piece(4);
    // What is beyond 64 bits is dropped, as Go's decoder does.
    this.#high = this.#isLast ? 0 : this.#piece(2) & 0xff;
    if (!this.#isLast) throw new ProtobufError("varint too long");
    if (this.#high === 0 && this.#middle < exactMiddle) return this.#low + this.#middle * secondUnit;
    return Number(this.#exact());
  }

  #exact(): bigint {
    return BigInt(this.#low) + (BigInt(this.#middle) << 28n) + (BigInt(this.#high) << 56n);
  }

  /** Up to `limit` bytes of a varint, 7 bits each. */
  #piece(limit: number): number {
    let value = 0;
    for (let shift = 0; shift < limit * 7; shift += 7) {
      if (this.#at >= this.#end) throw new ProtobufError("truncated message");
      const byte = this.bytes[this.#at] ?? 0;
      this.#at += 1;
      value |= (byte & 0x7f) << shift;
      this.#isLast = byte < 0x80;
      if (this.#isLast) break;
    }
    return value;
  }
}
