import { describe, expect, it } from "vitest";
import { Budget, weightOf } from "../../../bench/query/budget";
import { readOptions, type Options } from "../../../bench/query/options";
import { ALONE_RANGES, COMPARED_RANGES, isAskedInRound, isAskedOf, querySet } from "../../../bench/query/query-set";
import { replayFigures } from "../../../bench/query/replay";
import { notMeasured, replayTable } from "../../../bench/query/report-limits";

const set = querySet(Date.UTC(2026, 0, 2), 24);
const named = (name: string) => set.filter((query) => query.name === name);

function optionsOf(...argv: string[]): Options {
  const options = readOptions(argv);
  if (options === undefined) throw new Error("no options");
  return options;
}

describe("the time of a run", () => {
  it("lets a query repeat while its share lasts", () => {
    let now = 0;
    const mayRepeat = new Budget(100, [1, 3], () => now).next(1);
    now = 15;
    expect(mayRepeat(10)).toBe(true);
    expect(mayRepeat(11)).toBe(false);
  });

  it("gives what one query leaves to those after it, and what it takes too much is missing there", () => {
    for (const [taken, share] of [
      [5, 95],
      [60, 40],
    ] as const) {
      let now = 0;
      const budget = new Budget(100, [1, 3], () => now);
      budget.next(1);
      now = taken;
      const mayRepeat = budget.next(3);
      expect(mayRepeat(share)).toBe(true);
      expect(mayRepeat(share + 1)).toBe(false);
    }
  });

  it("allows no further round when it is over", () => {
    let now = 0;
    const budget = new Budget(10, [1, 1], () => now);
    budget.next(1);
    now = 20;
    expect(budget.next(1)(0.1)).toBe(false);
  });

  it("gives most to the longest range", () => {
    const weights = set.map(weightOf);
    expect(Math.max(...weights)).toBe(Math.max(...named("count 1d").map(weightOf)));
    expect(Math.min(...weights)).toBeGreaterThan(0);
  });
});

describe("what is asked", () => {
  it("has every range through the design and the shards asked directly, and plain Thanos at issue C's ranges", () => {
    const magma = set.filter(({ magmaRange }) => magmaRange !== undefined);
    expect(magma).toHaveLength(9);
    for (const { magmaRange = "", notAsked } of magma) {
      expect(notAsked?.arms ?? []).toEqual(COMPARED_RANGES.includes(magmaRange) ? [] : ["naive", "leaf"]);
    }
  });

  it("asks plain Thanos Magma's query once, and everything else as often as the others", () => {
    const [magma] = named("count 1h");
    const [panel] = named("registered");
    const rounds = (arm: "leaf" | "design", query = magma) =>
      [0, 1, 2, 3, 4].filter((round) => query !== undefined && isAskedInRound(query, arm, round)).length;
    expect([rounds("leaf"), rounds("design"), rounds("leaf", panel)]).toEqual([1, 5, 5]);
  });

  it("asks one shard alone Magma's query only", () => {
    expect(set.filter((query) => isAskedOf(query, 1)).map(({ magmaRange }) => magmaRange)).toEqual(ALONE_RANGES);
    expect(set.every((query) => isAskedOf(query, 2))).toBe(true);
  });
});

const run = { shard: 0, ready: 4, replay: 3, memory: 400e6, series: 100, walBytes: 100e6 };

describe("restarts", () => {
  it("are told of the worst shard, by the medians of its starts", () => {
    const runs = [
      ...[3, 9, 2].map((ready) => ({ ...run, ready })),
      ...[4, 4.5, 5].map((ready) => ({ ...run, shard: 1, ready, memory: 500e6 })),
    ];
    expect(replayFigures({ shards: 2, runs })).toMatchObject({ ready: 4.5, memory: 500e6, repetitions: 3 });
  });

  it("have their ratio to one Prometheus", () => {
    const half = { ...run, ready: 2, memory: 100e6 };
    const table = replayTable([
      { shards: 1, runs: [run] },
      { shards: 2, runs: [half, { ...half, shard: 1 }] },
    ]);
    expect(table.split("\n").at(-1)).toBe("| 2 | 100 | 3.0 | 2.0 | 100 | 2.00 | 0.25 | 1 |");
  });
});

describe("what was not measured", () => {
  const options = optionsOf("--n", "2");
  const sample = { wall: 1, cpu: {}, memory: 1, rootRead: 0 };
  const measured = set.map((query) => ({
    query,
    result: {
      shards: 2,
      query: query.name,
      size: 1,
      arms: { design: { samples: Array.from({ length: 5 }, () => sample) } },
    },
  }));
  const lines = (all = measured): string => notMeasured(options, set, all, []).join("\n");

  it("names the numbers of shards that nobody asked, and restarts that nobody made", () => {
    expect(lines()).toMatch(/^N = 8: nothing was asked\.$/m);
    expect(lines()).not.toMatch(/^N = 2: n(othing|ot asked)/m);
    expect(lines()).toMatch(/^N = 2: no restart\.$/m);
  });

  it("names queries that are missing", () => {
    expect(lines(measured.filter(({ query }) => query.name !== "count 6h"))).toMatch(
      /^N = 2: not asked for count 6h\.$/m,
    );
  });

  it("names queries with fewer rounds than wanted", () => {
    expect(lines()).not.toMatch(/instead of/);
    const short = measured.map((each) =>
      each.query.name === "count 1d"
        ? { ...each, result: { ...each.result, arms: { design: { samples: [sample] } } } }
        : each,
    );
    expect(lines(short)).toMatch(/^1 instead of 5 rounds: count 1d \(N = 2\)\.$/m);
  });

  it("says why plain Thanos is missing at some ranges", () => {
    expect(lines()).toMatch(
      /naive fan-out and leaf per shard: .* not count 1m, count 5m, count 30m, count 3h, count 1d\./,
    );
  });
});
