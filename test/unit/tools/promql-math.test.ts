import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Point } from "../../../tools/check/promql-math";
import { bucketQuantile, increase, sum } from "../../../tools/check/promql-math";

const minute = 60_000;
const every = (values: readonly number[], spacing = minute): readonly Point[] =>
  values.map((value, index) => [index * spacing, value] as const);

describe("increase, as Prometheus extrapolates it", () => {
  test.each<[string, readonly Point[], number, number, number | undefined]>([
    ["no sample", [], 300_000, 300_000, undefined],
    ["one sample", every([5]), 300_000, 300_000, undefined],
    // 4 minutes of samples, one minute (= the spacing) missing at the start: extrapolated to the boundary.
    ["up to the boundaries", every([100, 110, 120, 130, 140]), 4 * minute, 5 * minute, 50],
    // A gap beyond 1.1 spacings: only half a spacing is added.
    ["half a spacing into a large gap", every([100, 110, 120]), 5 * minute, 10 * minute, 30],
    ["over a reset", every([100, 110, 5, 15]), 3 * minute, 4 * minute, (25 * 4) / 3],
    // Would be below zero before the first sample: starts where the line meets zero.
    ["not below zero", every([2, 12, 22, 32, 42]), 4 * minute, 5 * minute, 42],
    ["a constant counter", every([7, 7, 7]), 2 * minute, 3 * minute, 0],
  ])("%s", (_what, points, end, range, expected) => {
    const result = increase(points, end, range);
    if (expected === undefined) expect(result).toBeUndefined();
    else expect(result).toBeCloseTo(expected, 9);
  });

  test("is never negative, and never more than the window allows at the steepest step", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 2, maxLength: 30 }), (values) => {
        const points = every(values);
        const end = (values.length - 1) * minute;
        const result = increase(points, end, end + minute) ?? -1;
        expect(result).toBeGreaterThanOrEqual(0);
        expect(result).toBeLessThanOrEqual(2 * values.length * Math.max(...values) + 1);
      }),
    );
  });
});

describe("histogram_quantile, as Prometheus interpolates it", () => {
  const buckets = [
    { upperBound: 0.1, count: 10 },
    { upperBound: 0.5, count: 30 },
    { upperBound: 1, count: 40 },
    { upperBound: Infinity, count: 40 },
  ];

  test.each([
    [0, 0],
    [0.25, 0.1],
    [0.5, 0.3],
    [0.75, 0.5],
    [0.875, 0.75],
    [1, 1],
    [-0.1, -Infinity],
    [1.1, Infinity],
  ])("q=%d is %d", (q, expected) => {
    expect(bucketQuantile(q, buckets)).toBeCloseTo(expected, 12);
  });

  test("gives the highest finite bound when the rank is in +Inf, and NaN without observations or without +Inf", () => {
    expect(
      bucketQuantile(0.99, [
        { upperBound: 1, count: 1 },
        { upperBound: Infinity, count: 10 },
      ]),
    ).toBe(1);
    expect(
      bucketQuantile(0.5, [
        { upperBound: 1, count: 0 },
        { upperBound: Infinity, count: 0 },
      ]),
    ).toBeNaN();
    expect(bucketQuantile(0.5, [{ upperBound: 1, count: 3 }])).toBeNaN();
    expect(bucketQuantile(0.5, buckets.slice(0, 3))).toBeNaN();
    expect(bucketQuantile(NaN, buckets)).toBeNaN();
  });

  test("doesn't depend on the buckets' order, and rises with q", () => {
    const counts = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(
        counts,
        // Of q = 0 there is none where the first bucket is empty.
        fc.double({ min: 0, minExcluded: true, max: 1, noNaN: true }),
        fc.double({ min: 0, minExcluded: true, max: 1, noNaN: true }),
        (own, a, b) => {
          let total = 0;
          const made = own.map((count, index) => {
            total += count;
            return { upperBound: index === own.length - 1 ? Infinity : index + 1, count: total };
          });
          fc.pre(total > 0);
          const low = bucketQuantile(Math.min(a, b), made);
          const high = bucketQuantile(Math.max(a, b), [...made].reverse());
          expect(low).toBeLessThanOrEqual(high);
        },
      ),
    );
  });
});

test("sum keeps what plain addition loses", () => {
  expect(sum([1e16, 1, -1e16])).toBe(1);
  expect(sum([])).toBe(0);
  expect(sum([1, Infinity])).toBe(Infinity);
});
