import { describe, expect, it } from "vitest";
import { Comparison, newestSpan, newestWindow, recentWindow, type Look } from "../../../../services/adapter/comparison";
import type { Interval } from "../../../../services/adapter/route";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const settle = 2 * minute;
const start = Date.UTC(2026, 0, 1);

/** One push batch in every window that a replica was asked for at a time, but for what it lacks. */
function look(at: number, from: number, to: number, window: number, lacks: Interval | undefined): Look {
  const aligned = (time: number) => Math.floor(time / window) * window;
  const ends: number[] = [];
  for (let end = aligned(from); end <= aligned(to); end += window) {
    if (lacks === undefined || end <= lacks.from || end - window >= lacks.to) ends.push(end);
  }
  const facts = ["count", "sum", "stdvar", "min", "max"];
  const windows = new Map(facts.map((fact) => [`${fact}|{}`, new Map(ends.map((end) => [end, 1]))]));
  return { windows, at, from: aligned(from), to: aligned(to) };
}

describe("comparing what two replicas hold", () => {
  /** As replicas are asked, with a look at the history that has not been answered since some time. */
  function gaps(retention: number, now: number, historyAt: number, lacks: Interval): readonly Interval[] {
    const comparison = new Comparison(retention, settle);
    const { historyWindow, recentSpan } = comparison;
    const historyTo = historyAt - recentSpan / 2 - historyWindow;
    const of = (missing: Interval | undefined) => ({
      newest: look(now, now - newestSpan(settle), now, newestWindow, missing),
      recent: look(now, now - recentSpan, now, recentWindow, missing),
      history: look(historyAt, historyAt - retention, historyTo, historyWindow, missing),
    });
    return comparison.of(of(undefined), of(lacks))?.gaps[1] ?? [];
  }

  const isIn = (found: readonly Interval[], time: number) => found.some(({ from, to }) => from <= time && time <= to);

  it.each([
    ["15 days", 15 * day],
    ["a year", 365 * day],
    ["five years", 5 * 365 * day],
  ])("finds a gap however old it is, with a retention of %s", (_, retention) => {
    for (let age = 10 * minute; age < Math.min(retention, 40 * hour); age += 7 * minute) {
      const lacks = { from: start - age - 10 * minute, to: start - age };
      // The history was looked at as long ago as it may be.
      const found = gaps(retention, start, start - 10 * minute, lacks);
      expect(isIn(found, start - age - 5 * minute), `${String(age / minute)} minutes ago`).toBe(true);
    }
  });

  it.each([1, 2, 3, 4, 8, 20])("does not forget one while looks at the history fail for %d hours", (hours) => {
    const lacks = { from: start - hour, to: start - 50 * minute };
    expect(isIn(gaps(15 * day, start + hours * hour, start, lacks), start - 55 * minute)).toBe(true);
  });
});
