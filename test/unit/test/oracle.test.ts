import { describe, expect, it } from "vitest";
import { difference, type FullAnswer } from "../../oracle/compare";
import { fleetSeries } from "../../oracle/fleet";
import { generatedQueries } from "../../oracle/promql-generator";
import { sectionsOf, valuesOf } from "../../oracle/promql-test-file";

const labels = { __name__: "x", shard: "0" };
const matrix = (values: readonly (readonly [number, string])[], metric = labels): FullAnswer => ({
  status: "success",
  data: { resultType: "matrix", result: [{ metric, values }] },
});
const answer = matrix([
  [60, "1"],
  [120, "NaN"],
]);
const histogram = (sum: string): FullAnswer => ({
  status: "success",
  data: {
    resultType: "vector",
    result: [{ metric: labels, histogram: [60, { count: "2", sum, buckets: [[0, "1", "2", "2"]] }] }],
  },
});
const failed: FullAnswer = { status: "error", errorType: "execution", error: "no" };

describe("the oracle's comparison", () => {
  it.each<readonly [string, FullAnswer, FullAnswer]>([
    [
      "a number",
      answer,
      matrix([
        [60, "1.00001"],
        [120, "NaN"],
      ]),
    ],
    [
      "no number",
      answer,
      matrix([
        [60, "1"],
        [120, "0"],
      ]),
    ],
    ["a sample less", answer, matrix([[60, "1"]])],
    [
      "another time",
      answer,
      matrix([
        [60, "1"],
        [121, "NaN"],
      ]),
    ],
    [
      "another label",
      answer,
      matrix(
        [
          [60, "1"],
          [120, "NaN"],
        ],
        { ...labels, shard: "1" },
      ),
    ],
    ["nothing", answer, { status: "success", data: { resultType: "matrix", result: [] } }],
    ["an error", answer, failed],
    ["no error", failed, answer],
    ["a warning", answer, { ...answer, warnings: ["PromQL warning: w"] }],
    ["a histogram", histogram("3"), histogram("4")],
    ["a type", { status: "success", data: { resultType: "vector", result: [] } }, matrix([])],
  ])("sees another one: %s", (_, wanted, given) => {
    expect(difference(wanted, given, false)).toBeDefined();
    expect(difference(wanted, wanted, true)).toBeUndefined();
  });

  it("takes rounding, positions in the text, senders and infos for the same", () => {
    const wanted = { ...answer, warnings: ["PromQL warning: w (1:5)"], infos: ["PromQL info: i"] };
    const rounded = matrix([
      [60, "1.0000000000001"],
      [120, "NaN"],
    ]);
    const warnings = ["remote query warning (thanos:///127.0.0.1:1): PromQL warning: w (2:9)", "PromQL info: j"];
    expect(difference(wanted, { ...rounded, warnings }, true)).toBeUndefined();
  });
});

describe("generated queries", () => {
  it("are the same for the same seed, and others for another one", () => {
    const texts = (seed: number) => generatedQueries(seed, 50, 1_800_000_000).map((each) => JSON.stringify(each));
    expect(texts(1)).toStrictEqual(texts(1));
    expect(texts(1).filter((text) => texts(2).includes(text)).length).toBeLessThan(10);
    expect(new Set(texts(1)).size).toBe(50);
  });

  it("meet a fleet of which a tenth of the gateways has moved once", () => {
    const shardsOf = new Map<string, Set<number>>();
    for (const { labels: found, shard } of fleetSeries(3, 0)) {
      const gateway = found["gatewayID"];
      if (gateway !== undefined) shardsOf.set(gateway, (shardsOf.get(gateway) ?? new Set()).add(shard));
    }
    const moved = [...shardsOf.values()].filter((shards) => shards.size === 2);
    expect([shardsOf.size, moved.length]).toStrictEqual([20, 2]);
  });
});

describe("upstream's test files", () => {
  it("give data and expressions, section by section", () => {
    const text = [
      "load 5m",
      "  x{a=\"1\", b='two'} 0+10x2 _ stale -1 NaN",
      '  {"y.z"} {{schema:0 count:2 sum:3 buckets:[1 1]}}x1',
      "",
      "# nothing",
      "eval instant at 10m sum(x)",
      "  {} 20",
      "clear",
      "load 1m",
      "  x ?",
      "eval range from 0 to 1m30s step 30s x",
    ].join("\n");
    const [first, second] = sectionsOf("a.test", text);
    expect(first?.evaluations).toStrictEqual([{ query: "sum(x)", start: 600, end: 600 }]);
    expect(first?.series.map((series) => series.labels)).toStrictEqual([
      { __name__: "x", a: "1", b: "two" },
      { __name__: "y.z" },
    ]);
    expect([...(first?.series[0]?.values ?? [])]).toStrictEqual([
      [0, 0],
      [300_000, 10],
      [600_000, 20],
      [1_200_000, "stale"],
      [1_500_000, -1],
      [1_800_000, NaN],
    ]);
    expect(second).toMatchObject({ name: "a.test 2", unread: 1, series: [] });
    expect(second?.evaluations).toStrictEqual([{ query: "x", start: 0, end: 90, step: 30 }]);
  });

  it("add histograms bucket by bucket", () => {
    const values = valuesOf("{{count:1 sum:1 buckets:[1] offset:1}}+{{count:2 sum:1 buckets:[1 1]}}x1");
    expect(values[1]).toMatchObject({ count: 3, sum: 2, positive: { offset: 0, counts: [1, 2] } });
  });
});
