import { describe, expect, test } from "vitest";
import { describeDifference, differencesOf } from "../../../../tools/preview/differences";

function lines(before: unknown, after: unknown): readonly string[] {
  return differencesOf(before, after).map(describeDifference);
}

describe("differences", () => {
  test("equal values have none", () => {
    expect(lines({ a: [1, { b: "x" }] }, { a: [1, { b: "x" }] })).toEqual([]);
  });

  test("containers are told by their names, whatever their order", () => {
    const before = {
      containers: [
        { name: "gate", image: "node:1" },
        { name: "sidecar", image: "thanos:1" },
      ],
    };
    const after = {
      containers: [
        { name: "sidecar", image: "thanos:2" },
        { name: "gate", image: "node:1" },
      ],
    };
    expect(lines(before, after)).toEqual(["containers[sidecar].image: thanos:1 -> thanos:2"]);
  });

  test("a flag that changes its value is one change; others come and go", () => {
    const before = { args: ["query", "--query.timeout=1m", "--old"] };
    const after = { args: ["query", "--query.timeout=2m", "--new=1"] };
    expect(lines(before, after)).toEqual([
      "args: --query.timeout=1m -> --query.timeout=2m",
      "args: - --old",
      "args: + --new=1",
    ]);
  });

  test("texts are compared by lines, JSON by its fields", () => {
    expect(lines({ data: "a: 1\nb: 2\n" }, { data: "a: 1\nb: 3\n" })).toEqual(["data: b: 2 -> b: 3"]);
    const ring = (count: number) =>
      JSON.stringify({ shards: Array.from({ length: count }, (_, i) => ({ name: `s-${String(i)}` })) });
    expect(lines({ data: ring(1) }, { data: ring(2) })).toEqual(['data.shards[s-1]: + {"name":"s-1"}']);
  });

  test("long texts, long values and what is not known yet stay short", () => {
    expect(lines({ data: "x\n".repeat(5_000) }, { data: "y\n".repeat(5_000) })).toEqual([
      "data: (a long text) -> (another)",
    ]);
    expect(lines({}, { a: "x".repeat(500) })[0]?.length).toBeLessThan(120);
    expect(lines({ a: "b" }, { a: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" })).toEqual(["a: b -> (known after up)"]);
  });
});
