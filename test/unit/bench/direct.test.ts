import { describe, expect, it } from "vitest";
import { difference, parseAnswer, type Answer } from "../../../bench/query/answers";
import { mergeAnswers } from "../../../bench/query/direct";

function matrix(
  ...series: readonly (readonly [Record<string, string>, readonly (readonly [number, number])[]])[]
): Answer {
  const result = series.map(([metric, values]) => ({
    metric,
    values: values.map(([time, value]) => [time, String(value)]),
  }));
  return parseAnswer(JSON.stringify({ status: "success", data: { resultType: "matrix", result } }));
}

function list(...items: readonly (string | Record<string, string>)[]): Answer {
  return parseAnswer(JSON.stringify({ status: "success", data: items }));
}

describe("merging what shards answered directly", () => {
  const left = matrix([
    { network: "a", shard: "0" },
    [
      [1, 2],
      [2, 4],
    ],
  ]);
  const right = matrix([{ network: "a", shard: "1" }, [[2, 6]]], [{ network: "b", shard: "1" }, [[1, 1]]]);

  it("adds up series that differ only in the shard, moment by moment", () => {
    const wanted = matrix(
      [
        { network: "a" },
        [
          [1, 2],
          [2, 10],
        ],
      ],
      [{ network: "b" }, [[1, 1]]],
    );
    expect(difference(wanted, mergeAnswers([left, right], { how: "sum" }))).toBeUndefined();
  });

  it("takes the largest and the smallest", () => {
    const largest = matrix(
      [
        { network: "a" },
        [
          [1, 2],
          [2, 6],
        ],
      ],
      [{ network: "b" }, [[1, 1]]],
    );
    expect(difference(largest, mergeAnswers([left, right], { how: "max" }))).toBeUndefined();
    const smallest = matrix(
      [
        { network: "a" },
        [
          [1, 2],
          [2, 4],
        ],
      ],
      [{ network: "b" }, [[1, 1]]],
    );
    expect(difference(smallest, mergeAnswers([left, right], { how: "min" }))).toBeUndefined();
  });

  it("keeps the k largest of each moment, which may be others at the next", () => {
    const first = matrix(
      [
        { gateway: "1" },
        [
          [1, 9],
          [2, 1],
        ],
      ],
      [
        { gateway: "2" },
        [
          [1, 3],
          [2, 3],
        ],
      ],
    );
    const second = matrix([
      { gateway: "3" },
      [
        [1, 5],
        [2, 5],
      ],
    ]);
    const wanted = matrix(
      [{ gateway: "1" }, [[1, 9]]],
      [
        { gateway: "3" },
        [
          [1, 5],
          [2, 5],
        ],
      ],
      [{ gateway: "2" }, [[2, 3]]],
    );
    expect(difference(wanted, mergeAnswers([first, second], { how: "topk", k: 2 }))).toBeUndefined();
  });

  it("takes quantiles only after the buckets are added up", () => {
    const buckets = (shard: string, low: number, all: number) =>
      matrix([{ le: "1", shard }, [[1, low]]], [{ le: "2", shard }, [[1, all]]], [{ le: "+Inf", shard }, [[1, all]]]);
    const merged = mergeAnswers([buckets("0", 10, 10), buckets("1", 0, 10)], {
      how: "histogram_quantile",
      quantile: 0.75,
    });
    expect(difference(matrix([{}, [[1, 1.5]]]), merged)).toBeUndefined();
  });

  it("puts lists together without repetition", () => {
    expect(mergeAnswers([list("gw-1", "gw-2"), list("gw-2", "gw-3")], { how: "side by side" })).toEqual({
      kind: "list",
      items: ["gw-1", "gw-2", "gw-3"],
    });
  });
});

describe("comparing answers", () => {
  const wanted = matrix([{ network: "a" }, [[1, 0.1]]]);

  it("forgives labels of the pipeline and the last bits of a sum", () => {
    const given = matrix([{ network: "a", shard: "3", cluster: "c" }, [[1, 0.1 + 1e-15]]]);
    expect(difference(wanted, given)).toBeUndefined();
  });

  it.each([
    ["another value", matrix([{ network: "a" }, [[1, 0.2]]])],
    ["another moment", matrix([{ network: "a" }, [[2, 0.1]]])],
    [
      "a value too many",
      matrix([
        { network: "a" },
        [
          [1, 0.1],
          [2, 0.1],
        ],
      ]),
    ],
    ["another series", matrix([{ network: "b" }, [[1, 0.1]]])],
    ["nothing", matrix()],
    ["a list", list("a")],
  ])("tells %s", (_, given) => {
    expect(difference(wanted, given)).toBeDefined();
  });

  it("takes NaN for NaN", () => {
    const nan = parseAnswer('{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}');
    expect(difference(nan, nan)).toBeUndefined();
  });

  it("compares /series without the shard and lists without the pipeline's own label names", () => {
    expect(difference(list({ __name__: "up", shard: "0" }), list({ __name__: "up", shard: "4" }))).toBeUndefined();
    expect(difference(list("job"), list("job", "prometheus_replica"))).toBeUndefined();
    expect(difference(list("job"), list("instance"))).toBe("1 missing (job), 1 too many (instance)");
  });

  it("refuses an error as an answer", () => {
    expect(() => parseAnswer('{"status":"error","errorType":"timeout","error":"too late"}')).toThrow();
  });
});
