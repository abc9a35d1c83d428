import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesField, fieldsOf, ProtobufError, varintField } from "../../../../services/plumbing/protobuf";
import { ProtobufReader } from "../../../../services/plumbing/protobuf-reader";

describe("ProtobufReader", () => {
  it("reads every 64 bit integer as the one that it is, rounded beyond 2^53", () => {
    fc.assert(
      fc.property(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(-1n)), (value) => {
        const message = varintField(7, value);
        const reader = new ProtobufReader(message);
        expect([reader.next(), reader.field]).toStrictEqual([true, 7]);
        expect(reader.signed()).toBe(Number(value));
        const again = new ProtobufReader(message);
        again.next();
        expect(again.unsigned()).toBe(Number(BigInt.asUintN(64, value)));
        expect(reader.next()).toBe(false);
      }),
    );
  });

  it("goes over the same fields as the reader that makes objects, or refuses the same bytes", () => {
    const walked = (bytes: Buffer): readonly number[] | string => {
      const found: number[] = [];
      try {
        const reader = new ProtobufReader(bytes);
        while (reader.next()) {
          found.push(reader.field);
          reader.skip();
        }
      } catch (error) {
        if (!(error instanceof ProtobufError)) throw error;
        return "refused";
      }
      return found;
    };
    const listed = (bytes: Buffer): readonly number[] | string => {
      try {
        return fieldsOf(bytes).map(({ number }) => number);
      } catch (error) {
        if (!(error instanceof ProtobufError)) throw error;
        return "refused";
      }
    };
    const field = fc
      .tuple(fc.integer({ min: 1, max: 5000 }), fc.oneof(fc.nat(), fc.string()))
      .map(([number, value]) => (typeof value === "string" ? bytesField(number, value) : varintField(number, value)));
    const whole = fc.array(field).map((fields) => Buffer.concat(fields));
    const cut = fc.tuple(whole, fc.nat(40)).map(([bytes, more]) => bytes.subarray(0, Math.max(0, bytes.length - more)));
    fc.assert(
      fc.property(fc.oneof(whole, cut), (bytes) => {
        expect(walked(bytes)).toStrictEqual(listed(bytes));
      }),
    );
  });

  it("refuses a field of another kind, one that reaches out of its message, and endless numbers", () => {
    const read = (bytes: readonly number[], use: (reader: ProtobufReader) => void) => () => {
      const reader = new ProtobufReader(Buffer.from(bytes));
      reader.next();
      use(reader);
    };
    expect(
      read([0x08, 1], (reader) => {
        reader.span();
      }),
    ).toThrow("field 1 has wire type 0, not 2");
    expect(read([0x0a, 5, 1], (reader) => reader.message())).toThrow("truncated message");
    expect(read([0x09, 1, 2], (reader) => reader.double())).toThrow("truncated message");
    expect(
      read([0x08, ...Array.from({ length: 11 }, () => 0xff)], (reader) => {
        reader.skip();
      }),
    ).toThrow("too long");
    expect(
      read([0x0b], (reader) => {
        reader.skip();
      }),
    ).toThrow("unknown wire type 3");
    expect(read([0x00], () => undefined)).toThrow("field number 0");
  });
});
