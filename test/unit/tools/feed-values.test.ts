import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { histogramBounds } from "../../../tools/feed/families";
import type { Series } from "../../../tools/feed/fleet";
import { counterEpoch, valueAt } from "../../../tools/feed/values";

const hash = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const time = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2030, 0, 1) });
const step = fc.integer({ min: 1, max: 3 * 3_600_000 });

function series(kind: Series["kind"], seriesHash: number): Series {
  return { name: "x", family: "x", key: "x{}", kind, hash: seriesHash };
}

const bucketCount = histogramBounds.length + 1;
const parts: readonly Series["kind"][] = [
  { type: "counter" },
  { type: "histogram", part: "count" },
  { type: "histogram", part: "sum" },
  ...Array.from({ length: bucketCount }, (_, bucket) => ({ type: "histogram", part: "bucket", bucket }) as const),
];

describe("values", () => {
  test("depend on nothing but series and timestamp", () => {
    fc.assert(
      fc.property(hash, time, (seriesHash, timestamp) => {
        for (const kind of [...parts, { type: "gauge" } as const]) {
          const first = valueAt(series(kind, seriesHash), timestamp);
          expect(valueAt(series(kind, seriesHash), timestamp)).toBe(first);
          expect(Number.isFinite(first)).toBe(true);
          expect(Number(String(first))).toBe(first);
        }
      }),
    );
  });

  test("counters, buckets, sums and counts never fall between two resets, and are never negative", () => {
    fc.assert(
      fc.property(hash, time, step, (seriesHash, timestamp, later) => {
        const before = counterEpoch(seriesHash, timestamp);
        const after = counterEpoch(seriesHash, timestamp + later);
        for (const kind of parts) {
          const first = valueAt(series(kind, seriesHash), timestamp);
          const second = valueAt(series(kind, seriesHash), timestamp + later);
          expect(first).toBeGreaterThanOrEqual(0);
          if (before.epoch === after.epoch) expect(second).toBeGreaterThanOrEqual(first);
        }
      }),
    );
  });

  test("counters start again from next to nothing after a reset", () => {
    fc.assert(
      fc.property(hash, time, (seriesHash, timestamp) => {
        const { elapsed } = counterEpoch(seriesHash, timestamp);
        const start = timestamp - elapsed;
        expect(counterEpoch(seriesHash, start).elapsed).toBe(0);
        expect(valueAt(series({ type: "counter" }, seriesHash), start)).toBe(0);
      }),
    );
  });

  test("some counters reset within 20 minutes, most do not within 6 hours", () => {
    const periods = Array.from({ length: 2_000 }, (_, index) => {
      const seriesHash = Math.imul(index + 1, 0x9e3779b1) >>> 0;
      const start = Date.UTC(2026, 5, 1);
      const { epoch } = counterEpoch(seriesHash, start);
      return counterEpoch(seriesHash, start + 20 * 60_000).epoch - epoch;
    });
    const often = periods.filter((resets) => resets > 0).length / periods.length;
    expect(often).toBeGreaterThan(0.03);
    expect(often).toBeLessThan(0.12);
  });

  test("a histogram agrees with itself: buckets rise with le, +Inf is the count, the sum fits the buckets", () => {
    fc.assert(
      fc.property(hash, time, (seriesHash, timestamp) => {
        const value = (kind: Series["kind"]): number => valueAt(series(kind, seriesHash), timestamp);
        const buckets = Array.from({ length: bucketCount }, (_, bucket) =>
          value({ type: "histogram", part: "bucket", bucket }),
        );
        for (const [index, count] of buckets.entries()) {
          expect(Number.isSafeInteger(count)).toBe(true);
          expect(count).toBeGreaterThanOrEqual(index === 0 ? 0 : (buckets[index - 1] ?? Infinity));
        }
        const count = value({ type: "histogram", part: "count" });
        expect(buckets.at(-1)).toBe(count);
        const sum = value({ type: "histogram", part: "sum" });
        expect(sum).toBeGreaterThanOrEqual(0);
        expect(sum).toBeLessThanOrEqual(count * 10);
      }),
    );
  });
});
