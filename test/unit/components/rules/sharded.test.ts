import { describe, expect, test } from "vitest";
import { twoLevels } from "../../../../components/rules/sharded";

describe("rules that can be sharded", () => {
  test.each([
    ["sum(x)", "sum(x)", "sum(r:per_shard)"],
    ["sum by (a, b) (rate(x[5m]))", "sum by (a, b) (rate(x[5m]))", "sum by (a, b) (r:per_shard)"],
    ["sum(x) by (a)", "sum(x) by (a)", "sum by (a) (r:per_shard)"],
    ["(( min (x) ))", "min (x)", "min(r:per_shard)"],
    ["max without (a) (x)", "max without (a) (x)", "max without (a, shard) (r:per_shard)"],
    ["count without () (x)", "count without () (x)", "sum without (shard) (r:per_shard)"],
    ["sum(\n  x # comment\n)", "sum(\n  x # comment\n)", "sum(r:per_shard)"],
    ["sum(x * 2 + time() - -1)", "sum(x * 2 + time() - -1)", "sum(r:per_shard)"],
    ["sum(a / b)", "sum(a / b)", "sum(r:per_shard)"],
    ["sum(a * on(shard, id) group_left(name) b)", "sum(a * on(shard, id) group_left(name) b)", "sum(r:per_shard)"],
    ["sum(a unless ignoring(le) b)", "sum(a unless ignoring(le) b)", "sum(r:per_shard)"],
    ["count(max by (id, shard) (x) > 0)", "count(max by (id, shard) (x) > 0)", "sum(r:per_shard)"],
    ["sum(max without (id) (x))", "sum(max without (id) (x))", "sum(r:per_shard)"],
    [
      "sum(max_over_time(rate(x[1m] offset 5m)[5m:1m]))",
      "sum(max_over_time(rate(x[1m] offset 5m)[5m:1m]))",
      "sum(r:per_shard)",
    ],
    [
      'sum(label_replace(x, "b", "$1", "a", "(.*)"))',
      'sum(label_replace(x, "b", "$1", "a", "(.*)"))',
      "sum(r:per_shard)",
    ],
    ["sum(hour(x))", "sum(hour(x))", "sum(r:per_shard)"],
    ['sum by ("with.dot") (x)', 'sum by ("with.dot") (x)', 'sum by ("with.dot") (r:per_shard)'],
  ])("%s", (expr, part, combined) => {
    expect(twoLevels("r", expr)).toStrictEqual({
      parts: [{ record: "r:per_shard", expr: part }],
      expr: expr.includes("count") ? combined.replace("count", "sum") : combined,
    });
  });

  test("avg is a sum and a count", () => {
    expect(twoLevels("r", "avg by (a) (avg_over_time(x[5m]))")).toStrictEqual({
      parts: [
        { record: "r:per_shard_sum", expr: "sum by (a) (avg_over_time(x[5m]))" },
        { record: "r:per_shard_count", expr: "count by (a) (avg_over_time(x[5m]))" },
      ],
      expr: "sum by (a) (r:per_shard_sum) / sum by (a) (r:per_shard_count)",
    });
  });
});

describe("rules that can't be sharded, with the reason", () => {
  test.each([
    ["x", "the outermost operation is x; only sum, count, min, max, avg"],
    ["rate(x[5m])", "the outermost operation is rate;"],
    ["sum(a) / sum(b)", "the outermost operation is sum(a) / sum(b);"],
    ["sum(x) > 5", "the outermost operation is sum(x) > 5;"],
    ["quantile(0.9, x)", "the outermost operation is quantile;"],
    ["stddev(x)", "the outermost operation is stddev;"],
    ["topk(3, x)", "the outermost operation is topk;"],
    ["histogram_quantile(0.9, sum by (le) (x))", "the outermost operation is histogram_quantile;"],
    ["sum by (shard) (x)", "it groups by shard"],
    ["sum without (shard) (x)", "it groups without shard"],
    [
      "sum(max by (id) (x))",
      "max by (id) (x) inside the outermost aggregation puts series of different shards together: add shard to its by",
    ],
    ["sum(max without (shard) (x))", "take shard out of its without"],
    ["sum(max(x))", "add shard to its by"],
    ["sum(a * on(id) b)", "a * on(id) b joins series that may be on different shards: add shard to its on()"],
    ["sum(a * ignoring(shard) b)", "take shard out of its ignoring()"],
    ["sum(a * on(shard, id) group_left(shard) b)", "overwrites the label shard"],
    ["sum(absent(x))", "absent() would be true on most of them"],
    ["sum(absent_over_time(x[5m]))", "absent_over_time() would be true on most of them"],
    ["sum(x * scalar(y))", "scalar() sees the series of one shard only"],
    ["sum(vector(1))", "vector() would be counted once per shard"],
    ["sum(x or vector(0))", "vector() would be counted once per shard"],
    ["sum(hour())", "hour() without an argument would be counted once per shard"],
    ["sum(info(x))", "info() joins series"],
    ['sum(label_replace(x, "shard", "$1", "a", "(.*)"))', "label_replace() overwrites the label shard"],
    ["sum(label_join(x, 'shard', '-', 'a'))", "label_join() overwrites the label shard"],
    ["sum(", "the expression ends too early"],
  ])("%s", (expr, reason) => {
    const result = twoLevels("r", expr);
    expect("reason" in result ? result.reason : "it was taken").toContain(reason);
  });
});
