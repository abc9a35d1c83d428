import { describe, expect, it } from "vitest";
import { axisSteps, lineChart } from "../../../bench/query/charts";
import { criticalPath, median, resultOf, spread, type Figures } from "../../../bench/query/statistics";

describe("statistics", () => {
  it("takes the middle value, and the mean of two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it("gives the spread in parts of the median", () => {
    expect(spread([8, 10, 12])).toBeCloseTo(0.4);
    expect(spread([5])).toBe(0);
  });

  it("counts the slowest shard and the root as the critical path", () => {
    expect(criticalPath({ shards: [0.2, 0.5, 0.3], root: 0.1 })).toBeCloseTo(0.6);
  });
});

const figures: Figures = {
  shards: 2,
  magmaRange: "1h",
  isPushable: true,
  single: 1,
  design: 0.625,
  direct: 0.5,
  singleCpu: 1,
  designCpu: 1.25,
};

describe("the RESULT line", () => {
  it("gives speed-ups by range and N, the largest CPU ratio and the smallest share of the direct arm", () => {
    const all = [
      figures,
      { ...figures, shards: 4, design: 0.4, direct: 0.3, designCpu: 1.1 },
      { ...figures, shards: 4, magmaRange: undefined, designCpu: 1.4 },
    ];
    expect(resultOf(all)).toEqual({ speedup: { "1h": { "2": 1.6, "4": 2.5 } }, cpuRatio: 1.4, ofDirect: 0.75 });
  });

  it("leaves out N = 1, CPU of short and of unpushable queries, and the share at a day", () => {
    const all = [
      figures,
      { ...figures, shards: 1, designCpu: 9, direct: 0.1 },
      { ...figures, single: 0.05, design: 0.04, direct: 0.04, designCpu: 9 },
      { ...figures, magmaRange: undefined, isPushable: false, designCpu: 9 },
      { ...figures, magmaRange: "1d", direct: 0.1, design: 0.8 },
    ];
    const result = resultOf(all);
    expect(result.cpuRatio).toBe(1.25);
    expect(result.ofDirect).toBe(0.8);
    expect(Object.keys(result.speedup)).toEqual(["1h", "1d"]);
  });

  it("says null where nothing was measured", () => {
    expect(resultOf([{ ...figures, single: undefined, design: undefined }])).toEqual({
      speedup: {},
      cpuRatio: null,
      ofDirect: null,
    });
  });
});

describe("charts", () => {
  it("has an axis of round steps that covers the largest value", () => {
    expect(axisSteps(6.3)).toEqual([0, 2, 4, 6, 8]);
    expect(axisSteps(0.9)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  it("leaves a gap where nothing was measured", () => {
    const svg = lineChart({
      title: "a < b",
      unit: "times",
      categories: ["1m", "5m", "15m"],
      series: [{ name: "one", values: [1, undefined, 2] }],
    });
    expect(svg).toContain("a &lt; b");
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(/<path d="M[^L]*M[^L]*"/.test(svg)).toBe(true);
  });
});
