import type { Label } from "../../model/stored-series";
import { bytesField, varint, varintField } from "../plumbing/protobuf";

/**
 * Staleness markers as Remote-Write 2.0 (io.prometheus.write.v2.Request). Not 1.0: there Prometheus takes the whole
 * request back when one sample is refused, in 2.0 it keeps the others (storage/remote/write_handler.go, 3.14).
 */

/** A series that ends. */
export interface EndedSeries {
  /** As stored, sorted by name. */
  readonly labels: readonly Label[];
  /** When, milliseconds since the epoch. */
  readonly timestamp: number;
}

/** Headers that go with the body. */
export const remoteWriteHeaders = {
  "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
  "content-encoding": "snappy",
  "x-prometheus-remote-write-version": "2.0.0",
} as const;

/**
 * Field 1 of a sample: the NaN with the bits 0x7ff0000000000002 that Prometheus takes for "ended here" (model/value).
 * Written as bytes: JavaScript may change the bits of a NaN on the way.
 */
const staleValue = Buffer.from("09020000000000f07f", "hex");

/**
 * Samples per series: the marker, and one more a millisecond later. Where the series has a sample at the marker's time
 * already, Prometheus refuses the marker, or, out of order, keeps both and shows either; the second one ends it in any case.
 */
export const samplesPerSeries = 2;

/** The body for Prometheus. Whatever the series are, it holds nothing but staleness markers. */
export function remoteWriteBody(ended: readonly EndedSeries[]): Buffer {
  const symbols = new Map([["", 0]]);
  const series = ended.map(({ labels, timestamp }) => {
    const refs = labels.flat().map((text) => {
      const known = symbols.get(text) ?? symbols.size;
      symbols.set(text, known);
      return varint(known);
    });
    const samples = [timestamp, timestamp + 1].map((time) =>
      bytesField(2, Buffer.concat([staleValue, varintField(2, time)])),
    );
    return bytesField(5, Buffer.concat([bytesField(1, Buffer.concat(refs)), ...samples]));
  });
  return snappyBlock(Buffer.concat([...[...symbols.keys()].map((symbol) => bytesField(4, symbol)), ...series]));
}

/** Snappy's block format with everything as one literal: nothing is packed, the way is a loopback. */
function snappyBlock(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Math.max(0, content.length - 1));
  // Tag 63 << 2: a literal whose length minus one follows in four bytes.
  return Buffer.concat([varint(content.length), Buffer.from([63 << 2]), length, content]);
}
