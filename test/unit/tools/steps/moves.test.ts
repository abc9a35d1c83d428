import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { counters } from "../../../../tools/check/checks";
import { increase, type Point } from "../../../../tools/check/promql-math";
import { increaseBounds, increaseIsRight } from "../../../../tools/check/steps/moves";
import { defaultFleet, makeFleet } from "../../../../tools/feed/fleet";
import { valueAt } from "../../../../tools/feed/values";
import { cases as thoroughly } from "../../../thorough";

const fleet = makeFleet({ ...defaultFleet, gateways: 40 }, "r1");
const begin = Date.parse("2026-01-01T00:00:00Z");
const window = 600_000;

/** A gateway's counters, pushed `count` times `spacing` ms apart. */
function histories(gateway: number, metric: string, spacing: number, count: number): readonly (readonly Point[])[] {
  const one = fleet.gateways[gateway];
  if (one === undefined) throw new Error(`no gateway ${String(gateway)}`);
  const series = fleet.seriesAt(one, begin).filter(({ name }) => name === metric);
  const times = Array.from({ length: count }, (_, index) => begin + index * spacing);
  return series.map((each) => times.map((at) => [at, valueAt(each, at)] as const));
}

const cases = fc.record({
  gateway: fc.integer({ min: 0, max: 39 }),
  metric: fc.constantFrom(...counters),
  spacing: fc.constantFrom(3_000, 15_000, 60_000),
  count: fc.integer({ min: 2, max: 60 }),
  after: fc.integer({ min: 0, max: 5_000 }),
});

/** Two points on the first shard, which grew faster than the third: 1.11 push intervals' increase too much. */
const found: [{ gateway: number; metric: string; spacing: number; count: number; after: number }, number] = [
  { gateway: 0, metric: "session_create_total", spacing: 60_000, count: 3, after: 0 },
  2,
];

/** What the root answers when a series is on one shard up to push number `move`, and on another from there on. */
function answered(histories: readonly (readonly Point[])[], end: number, move: number): number {
  let total = 0;
  for (const points of histories) {
    const at = points[move]?.[0] ?? Infinity;
    for (const part of [points.filter(([time]) => time < at), points.filter(([time]) => time >= at)]) {
      total += increase(part, end, window) ?? 0;
    }
  }
  return total;
}

describe("increase across a move", () => {
  test("lacks at most one push interval's increase and exceeds it by at most two, wherever the move is", () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ gateway, metric, spacing, count, after }, place) => {
        const end = begin + (count - 1) * spacing + after;
        const all = histories(gateway, metric, spacing, count).map((points) =>
          points.filter(([time]) => time > end - window),
        );
        const bounds = increaseBounds(all, end, window);
        const kept = all[0]?.length ?? 0;
        const move = kept === 0 ? 0 : place % kept;
        const got = answered(all, end, move);
        const moved = [{ at: end - 1, back: false }];
        expect(increaseIsRight(got, bounds, moved, 1e-9)).toBe(true);
      }),
      { examples: [found], numRuns: thoroughly(5_000) },
    );
  });

  test("without a move must be exact, and a push counted twice is never right", () => {
    fc.assert(
      fc.property(cases, ({ gateway, metric, spacing, count }) => {
        const end = begin + (count - 1) * spacing;
        const all = histories(gateway, metric, spacing, count).map((points) =>
          points.filter(([time]) => time > end - window),
        );
        const bounds = increaseBounds(all, end, window);
        expect(increaseIsRight(bounds.least, bounds, [], 1e-9)).toBe(true);
        expect(increaseIsRight(bounds.most, bounds, [], 1e-9)).toBe(true);
        if (bounds.perPush === 0) return;
        expect(increaseIsRight(bounds.least - bounds.perPush, bounds, [], 1e-9)).toBe(false);
        expect(increaseIsRight(bounds.most + 2.01 * bounds.perPush, bounds, [{ at: end, back: false }], 0)).toBe(false);
      }),
    );
  });

  test("is not judged after a return: the first shard's counter spans what the other counted", () => {
    const all = histories(1, counters[0] ?? "", 3_000, 60);
    const end = begin + 59 * 3_000;
    const bounds = increaseBounds(all, end, window);
    const away = (time: number): boolean => time >= begin + 60_000 && time < begin + 120_000;
    const both = [
      ...all.map((points) => points.filter(([time]) => !away(time))),
      ...all.map((points) => points.filter(([time]) => away(time))),
    ];
    const got = both.reduce((total, points) => total + (increase(points, end, window) ?? 0), 0);
    expect(got).toBeGreaterThan(bounds.most + 2 * bounds.perPush);
    const arrivals = [
      { at: begin + 60_000, back: false },
      { at: begin + 120_000, back: true },
    ];
    expect(increaseIsRight(got, bounds, arrivals, 1e-9)).toBeUndefined();
  });
});
