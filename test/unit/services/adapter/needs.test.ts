import { describe, expect, it } from "vitest";
import { needsOf } from "../../../../services/adapter/needs";

const minute = 60_000;
const second = 1e9;
const evaluation = { start: 100 * minute, end: 200 * minute, lookback: 5 * minute };

const node = (type: string, data: object, ...children: object[]) => ({ type, data, children });
const selector = (data: object = {}) =>
  node("vector_selector", { Name: "x", OriginalOffset: 0, Offset: 0, Timestamp: null, StartOrEnd: 0, ...data });
const range = (seconds: number, inner: object) => node("matrix_selector", { Range: seconds * second }, inner);
const subquery = (seconds: number, inner: object, data: object = {}) =>
  node("subquery", { Range: seconds * second, OriginalOffset: 0, Timestamp: null, StartOrEnd: 0, ...data }, inner);
const sum = (...inner: object[]) => node("aggregation", { Op: "sum" }, ...inner);

function minutes(plan: object, query = "x"): readonly [number, number] | undefined {
  const needs = needsOf(query, JSON.stringify(plan), evaluation);
  return needs === undefined ? undefined : [needs.oldest / minute, needs.newest / minute];
}

describe("needsOf", () => {
  it.each([
    ["a selector: the lookback", selector(), [95, 200]],
    ["offset", selector({ OriginalOffset: 600 * second }), [85, 190]],
    ["negative offset", selector({ OriginalOffset: -600 * second }), [105, 210]],
    ["@ a moment", selector({ Timestamp: 50 * minute }), [45, 50]],
    ["@ a moment, offset", selector({ Timestamp: 50 * minute, OriginalOffset: 600 * second }), [35, 40]],
    ["a range", range(3600, selector()), [40, 200]],
    ["a range with offset", range(3600, selector({ OriginalOffset: 600 * second })), [30, 190]],
    ["a subquery", subquery(3600, selector()), [35, 200]],
    ["a subquery of a range", subquery(3600, range(600, selector())), [30, 200]],
    ["a subquery with offset", subquery(3600, selector(), { OriginalOffset: 600 * second }), [25, 190]],
    ["a subquery @ a moment", subquery(600, selector(), { Timestamp: 50 * minute }), [35, 50]],
    ["@ end() inside a subquery", subquery(600, selector({ StartOrEnd: 57 })), [85, 200]],
    ["both sides", node("binary", {}, sum(range(60, selector())), selector({ Timestamp: 10 * minute })), [5, 200]],
    ["numbers only", node("number_literal", { Val: 1 }), [Infinity, -Infinity]],
    ["infinity", { type: "number_literal", data: "+Inf" }, [Infinity, -Infinity]],
  ] as const)("%s", (_, plan, expected) => {
    expect(minutes(sum(plan))).toStrictEqual(expected);
  });

  it("knows what can't be cut, by the plan and by the text", () => {
    const isPinned = (plan: object, text: string) => needsOf(text, JSON.stringify(plan), evaluation)?.isPinned;
    expect(isPinned(selector(), "x")).toBe(false);
    expect(isPinned(selector({ StartOrEnd: 57 }), "x")).toBe(true);
    expect(isPinned(selector({ Timestamp: 1 }), "x @ start()")).toBe(true);
  });

  it("tells samples that are read one by one from ranges", () => {
    const isInstant = (plan: object) => needsOf("x", JSON.stringify(plan), evaluation)?.hasInstantSelector;
    expect(isInstant(sum(selector()))).toBe(true);
    expect(isInstant(sum(range(60, selector())))).toBe(false);
  });

  it.each([
    ["none", undefined],
    ["no JSON", "{"],
    ["a node it does not know", JSON.stringify(node("remote_exec", {}))],
    ["no node", "[1]"],
    ["a range that is no number", JSON.stringify(node("matrix_selector", { Range: "1h" }, selector()))],
  ])("a plan that can't be read is no plan: %s", (_, plan) => {
    expect(needsOf("x", plan, evaluation)).toBeUndefined();
  });
});
