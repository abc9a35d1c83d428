import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { described, kindAt, Load, percentile, pick, wayAt, withOneRetry, type Verdict } from "../../../e2e/pairs/load";

const right: Verdict = { is: "right" };
const wrong: Verdict = { is: "wrong", text: "5 instead of 6" };
const error = (text: string): Verdict => ({ is: "error", text });
const inTurn = (verdicts: readonly Verdict[]) => {
  let next = 0;
  return () => Promise.resolve(verdicts[next++] ?? error("asked too often"));
};

describe("the mix of queries", () => {
  test("any 100 in a row: 90 about one gateway, 9 panels, 1 about the fleet; half of them each way", () => {
    fc.assert(
      fc.property(fc.nat(100_000), (from) => {
        const indexes = Array.from({ length: 100 }, (_, offset) => from + offset);
        const kinds = indexes.map(kindAt);
        expect(kinds.filter((kind) => kind === "gateway")).toHaveLength(90);
        expect(kinds.filter((kind) => kind === "panel")).toHaveLength(9);
        const ways = indexes.map(wayAt);
        expect(Math.abs(ways.filter((way) => way === "root").length - 50)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("each kind goes both ways, and every question is asked", () => {
    const indexes = Array.from({ length: 2_000 }, (_, index) => index);
    for (const [kind, count] of [
      ["gateway", 120],
      ["panel", 4],
      ["fleet", 2],
    ] as const) {
      const own = indexes.filter((index) => kindAt(index) === kind);
      const list = Array.from({ length: count }, (_, at) => at);
      for (const way of ["frontend", "root"]) {
        const asked = new Set(own.filter((index) => wayAt(index) === way).map((index) => pick(list, index)));
        expect(asked.size, `${kind} by ${way}`).toBe(count);
      }
    }
  });
});

describe("one second try", () => {
  test.each([
    ["a right answer is right", [right], "right"],
    ["a wrong answer is wrong and is not asked for again", [wrong, right], "wrong"],
    ["an error and then a right answer is cured", [error("x"), right], "cured"],
    ["an error and then a wrong answer is wrong", [error("x"), wrong], "wrong"],
    ["two errors are not cured, whatever a third try would give", [error("x"), error("y"), right], "uncured"],
  ] as const)("%s", async (_, verdicts, is) => {
    expect((await withOneRetry(inTurn(verdicts), 1)).is).toBe(is);
  });

  test("an error that is not cured tells both tries", async () => {
    expect(await withOneRetry(inTurn([error("x"), error("y")]), 1)).toEqual({
      is: "uncured",
      text: "x; and again: y",
    });
  });
});

describe("percentile", () => {
  test("is the smallest value that the share does not exceed", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test("is one of the values, with at least the share of them not above it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const found = percentile(values, share);
          expect(values).toContain(found);
          expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(share * values.length);
        },
      ),
    );
  });
});

describe("the open loop", () => {
  test("goes on sending while nothing is answered, and waits for the answers when it is stopped", async () => {
    const release: (() => void)[] = [];
    const load = Load.start(() => new Promise((resolve) => release.push(() => resolve(right))), { perSecond: 500 });
    await vi.waitFor(() => expect(release.length).toBeGreaterThan(20));
    const stopped = load.stop();
    for (const each of release) each();
    const report = await stopped;
    expect(report.asked).toBe(release.length);
    expect(report).toMatchObject({ unsent: 0, wrong: { count: 0 }, uncured: { count: 0 }, cured: { count: 0 } });
    expect(report.p99).toBeGreaterThan(0);
  });

  test("has a bounded number under way and counts what it did not send", async () => {
    const release: (() => void)[] = [];
    const load = Load.start(() => new Promise((resolve) => release.push(() => resolve(right))), {
      perSecond: 1_000,
      inFlight: 3,
    });
    const startedAt = performance.now();
    await vi.waitFor(() => expect(performance.now() - startedAt).toBeGreaterThan(100));
    const stopped = load.stop();
    for (const each of release) each();
    const report = await stopped;
    expect(report.asked).toBe(3);
    expect(report.unsent).toBeGreaterThan(50);
  });

  test("sends nothing after its time, and what was due is counted as not sent", async () => {
    const load = Load.start(() => Promise.resolve(right), { perSecond: 100, seconds: 0.05 });
    const startedAt = performance.now();
    await vi.waitFor(() => expect(performance.now() - startedAt).toBeGreaterThan(200));
    const report = await load.stop();
    expect(report.asked).toBe(5);
    expect(report.unsent).toBeGreaterThanOrEqual(14);
  });

  test("counts what was wrong, cured and not, with the first of each", async () => {
    const tries = new Map<number, number>();
    const load = Load.start(
      (index) => {
        const attempt = (tries.get(index) ?? 0) + 1;
        tries.set(index, attempt);
        const verdicts = [right, wrong, attempt === 1 ? error("away") : right, error("gone")];
        return Promise.resolve(verdicts[index % 4] ?? right);
      },
      { perSecond: 1_000, seconds: 0.04, retryMilliseconds: 1 },
    );
    await vi.waitFor(() => expect(tries.size).toBe(40));
    const report = await load.stop();
    expect([report.wrong.count, report.cured.count, report.uncured.count]).toEqual([10, 10, 10]);
    expect(report.uncured.first).toHaveLength(5);
    expect(report.uncured.first[0]).toMatch(/^after 0\.0 s: gone; and again: gone$/);
    expect(described(report)).toMatch(
      /^40 queries in \d+ s: 10 wrong, 10 errors not cured, 10 cured, \d+ not sent; p50 /,
    );
  });

  test("does not take a fault of its own for an answer", async () => {
    const load = Load.start(() => Promise.reject(new TypeError("a mistake")), { perSecond: 100, seconds: 0.02 });
    await expect(load.stop()).rejects.toThrow("a mistake");
  });
});
