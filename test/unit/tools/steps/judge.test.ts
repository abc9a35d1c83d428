import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answered, Expected, Step } from "../../../../tools/check/steps/judge";
import { causeOf, judgeGateway, judgeTotals } from "../../../../tools/check/steps/judge";

const interval = 2_000;
const options = { interval, tolerance: 1e-9 };

/** Ten series whose values change with every push, of which there is one every 3 s. */
function expectedAt(at: number): Expected {
  const push = Math.floor(at / 3_000);
  const state = (number: number) => ({ count: 10, sum: 100 + number, magnitude: 100 + number });
  return { states: [state(push)], previous: state(push - 1), lastPush: push * 3_000 };
}

const right = (at: number): Answered => ({ count: 10, sum: expectedAt(at).states[0]?.sum ?? 0, shards: ["0"] });
const twice = (at: number): Answered => ({ count: 20, sum: right(at).sum * 2 - 1, shards: ["0", "1"] });
const nothing: Answered = { count: 0, sum: 0, shards: [] };

function stepsWith(spoiled: (at: number) => Answered | undefined, count = 60): readonly Step[] {
  return Array.from({ length: count }, (_, index) => {
    const at = 30_000 + index * interval;
    return { at, expected: expectedAt(at), answered: spoiled(at) ?? right(at) };
  });
}

const wrong = (steps: readonly Step[]) => judgeGateway("gw", steps, options).filter(({ tolerated }) => !tolerated);

describe("an evaluation step", () => {
  test("has a cause when it differs, and none when it does not", () => {
    const at = 31_000;
    const cause = (answered: Answered) => causeOf({ at, expected: expectedAt(at), answered }, 1e-9);
    expect(cause(right(at))).toBeUndefined();
    expect(cause({ ...right(at), sum: right(at).sum * (1 + 1e-12) })).toBeUndefined();
    expect(cause(nothing)).toBe("missing");
    expect(cause(right(at - 3_000))).toBe("missing");
    expect(cause(twice(at))).toBe("double");
    expect(cause({ ...right(at), shards: ["0", "1"], sum: 7 })).toBe("double");
    expect(cause({ ...right(at), sum: 7 })).toBe("value");
    expect(causeOf({ at, expected: { states: [{ count: 0, sum: 0, magnitude: 0 }] }, answered: right(at) }, 0)).toBe(
      "invented",
    );
  });

  test("may show either state while it is not known whether the newest push is stored", () => {
    const at = 31_000;
    const { states, previous } = expectedAt(at);
    const expected = { states: [...states, ...(previous === undefined ? [] : [previous])] };
    expect(causeOf({ at, expected, answered: right(at - 3_000) }, 1e-9)).toBeUndefined();
    expect(causeOf({ at, expected, answered: twice(at) }, 1e-9)).toBe("double");
  });
});

describe("a run of steps", () => {
  test("as the ledger has it is never wrong", () => {
    expect(
      judgeGateway(
        "gw",
        stepsWith(() => undefined),
        options,
      ),
    ).toEqual([]);
  });

  test("that is double until the marker comes, within one scrape interval after the push, is tolerated", () => {
    fc.assert(
      fc.property(fc.integer({ min: 12, max: 40 }), fc.integer({ min: 1, max: interval }), (push, length) => {
        const moved = push * 3_000;
        const steps = stepsWith((at) => (at >= moved && at < moved + length ? twice(at) : undefined));
        expect(wrong(steps)).toEqual([]);
      }),
    );
  });

  test("that differs for longer than one scrape interval is wrong at every step of it, with its time", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 2, max: 15 }),
        fc.constantFrom(nothing, "double" as const, "older" as const),
        (from, length, kind) => {
          const first = 30_000 + from * interval;
          const last = first + (length - 1) * interval;
          const spoiled = (at: number): Answered =>
            kind === "double" ? twice(at) : kind === "older" ? right(at - 3_000) : kind;
          const found = wrong(stepsWith((at) => (at >= first && at <= last ? spoiled(at) : undefined)));
          expect(found).toHaveLength(1);
          expect(found[0]).toMatchObject({ from: first, to: last, cause: kind === "double" ? "double" : "missing" });
          expect(found[0]?.steps).toHaveLength(length);
        },
      ),
    );
  });

  test("is wrong even at a single step that is further than one scrape interval from a push", () => {
    const late = Array.from({ length: 60 }, (_, index) => 30_000 + index * interval).find(
      (at) => at % 3_000 >= interval,
    );
    const found = wrong(stepsWith((at) => (at === late ? twice(at) : undefined)));
    expect(found).toMatchObject([{ from: late, to: late, cause: "double", answered: { shards: ["0", "1"] } }]);
  });

  test("without markers is wrong for the whole lookback", () => {
    const found = wrong(stepsWith((at) => (at >= 60_000 ? twice(at) : undefined)));
    expect(found.flatMap(({ steps }) => steps)).toHaveLength(45);
  });
});

test("a total that is not the sum of its parts is wrong at its step", () => {
  const parts = { count: 3, sum: 6, magnitude: 6 };
  const found = judgeTotals(
    [
      { at: 1, total: { count: 3, sum: 6 }, parts },
      { at: 2, total: { count: 2, sum: 4 }, parts },
    ],
    1e-9,
  );
  expect(found).toMatchObject([{ from: 2, cause: "total", tolerated: false, expected: { count: 3, sum: 6 } }]);
});
