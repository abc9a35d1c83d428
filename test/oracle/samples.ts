/** Samples as the oracle's data sets hold them, and the remote-write requests that carry them. */
import { bytesField, varintField } from "../../services/plumbing/protobuf";

export type Labels = Readonly<Record<string, string>>;

/** A native histogram with float counts, as remote write has it. Buckets from `offset` on, one after another. */
export interface NativeHistogram {
  /** -4 to 8; -53 for custom buckets. */
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  /** Upper bounds; schema -53 only. */
  readonly customValues: readonly number[];
  readonly resetHint: ResetHint;
}

interface Buckets {
  readonly offset: number;
  readonly counts: readonly number[];
}

export const resetHints = { unknown: 0, reset: 1, not_reset: 2, gauge: 3 } as const;
export type ResetHint = keyof typeof resetHints;

export type Value = number | "stale" | NativeHistogram;

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly value: Value;
}

export interface SampledSeries {
  /** Without empty ones; `__name__` among them. */
  readonly labels: Labels;
  /** In the order of time. */
  readonly samples: readonly Sample[];
}

export const emptyHistogram: NativeHistogram = {
  schema: 0,
  count: 0,
  sum: 0,
  zeroCount: 0,
  zeroThreshold: 2.938735877055719e-39,
  positive: { offset: 0, counts: [] },
  negative: { offset: 0, counts: [] },
  customValues: [],
  resetHint: "unknown",
};

/** Prometheus' own NaN for "gone" (model/value/value.go), little-endian. */
const staleMarker = Buffer.from("020000000000f07f", "hex");

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function doubleField(number: number, value: number | Buffer): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 1]), typeof value === "number" ? double(value) : value]);
}

function zigzag(number: number, value: number): Buffer {
  return varintField(number, value < 0 ? -2 * value - 1 : 2 * value);
}

/** Span and counts of one side: fields 8 and 10 (negative), or 11 and 13 (positive) of prompb.Histogram. */
function sideOf({ offset, counts }: Buckets, spans: number): readonly Buffer[] {
  if (counts.length === 0) return [];
  const span = Buffer.concat([zigzag(1, offset), varintField(2, counts.length)]);
  return [bytesField(spans, span), bytesField(spans + 2, Buffer.concat(counts.map(double)))];
}

function histogramField(time: number, histogram: NativeHistogram): Buffer {
  const { customValues } = histogram;
  return bytesField(
    4,
    Buffer.concat([
      doubleField(2, histogram.count),
      doubleField(3, histogram.sum),
      zigzag(4, histogram.schema),
      ...(histogram.schema === -53
        ? []
        : [doubleField(5, histogram.zeroThreshold), doubleField(7, histogram.zeroCount)]),
      ...sideOf(histogram.negative, 8),
      ...sideOf(histogram.positive, 11),
      varintField(14, resetHints[histogram.resetHint]),
      varintField(15, time),
      // Number 16 takes two bytes as a tag.
      ...(customValues.length === 0 ? [] : [bytesField(16, Buffer.concat(customValues.map(double)))]),
    ]),
  );
}

function sampleField({ time, value }: Sample): Buffer {
  if (typeof value === "object") return histogramField(time, value);
  const bits = value === "stale" ? staleMarker : value;
  return bytesField(2, Buffer.concat([doubleField(1, bits), varintField(2, time)]));
}

function seriesField({ labels, samples }: SampledSeries): Buffer {
  const pairs = Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
  const fields = pairs.map(([name, value]) =>
    bytesField(1, Buffer.concat([bytesField(1, name), bytesField(2, value)])),
  );
  return bytesField(1, Buffer.concat([...fields, ...samples.map(sampleField)]));
}

/** Snappy's block format with nothing compressed: its length, then literals. */
function snappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [varintField(0, bytes.length).subarray(1)];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const literal = bytes.subarray(at, at + 65_536);
    const head = Buffer.from([61 << 2, 0, 0]);
    head.writeUInt16LE(literal.length - 1, 1);
    parts.push(head, literal);
  }
  return Buffer.concat(parts);
}

/** Body of a remote-write request, version 1. */
export function writeRequest(series: readonly SampledSeries[]): Buffer {
  return snappy(Buffer.concat(series.map(seriesField)));
}

/**
 * Sends samples to a Prometheus with the remote-write receiver, in the order of time.
 * @param span Milliseconds that one request holds at most.
 */
export async function write(url: string, series: readonly SampledSeries[], span: number): Promise<void> {
  const buckets = new Map<number, SampledSeries[]>();
  for (const { labels, samples } of series) {
    const parts = new Map<number, Sample[]>();
    for (const sample of samples) {
      const bucket = Math.floor(sample.time / span);
      const part = parts.get(bucket);
      if (part === undefined) parts.set(bucket, [sample]);
      else part.push(sample);
    }
    for (const [bucket, part] of parts) {
      const all = buckets.get(bucket);
      if (all === undefined) buckets.set(bucket, [{ labels, samples: part }]);
      else all.push({ labels, samples: part });
    }
  }
  const headers = {
    "content-encoding": "snappy",
    "content-type": "application/x-protobuf",
    "x-prometheus-remote-write-version": "0.1.0",
  };
  for (const bucket of [...buckets.keys()].sort((one, other) => one - other)) {
    const body = writeRequest(buckets.get(bucket) ?? []);
    const response = await fetch(`${url}/api/v1/write`, { method: "POST", headers, body: new Uint8Array(body) });
    if (!response.ok) throw new Error(`${url} took no samples: ${String(response.status)} ${await response.text()}`);
  }
}
