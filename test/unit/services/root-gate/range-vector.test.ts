import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRangeVector } from "../../../../services/root-gate/range-vector";

const strings = ['"[5m]"', "'a]\\'['", "`(`", '"# [1m]"', '"\\")["'];

const selector = fc
  .tuple(fc.constantFrom("up", "", "a:b"), fc.constantFrom(...strings))
  .map(([name, text]) => `${name}{label=~${text}}`);
const instant = fc.letrec<{ all: string }>((tie) => ({
  all: fc.oneof(
    { maxDepth: 3 },
    selector,
    tie("all").map((inner) => `(${inner})`),
    tie("all").map((inner) => `sum by (a) (${inner})`),
    tie("all").map((inner) => `rate((${inner})[5m:1m])`),
    fc.tuple(tie("all"), tie("all")).map(([left, right]) => `(${left}) + on (a) (${right})`),
    tie("all").map((inner) => `label_replace(${inner}, "a", "[$1]", "b", "(.*)")`),
    tie("all").map((inner) => `# a comment with [5m] (\n${inner}`),
  ),
})).all;
const range = fc
  .tuple(
    fc.oneof(
      fc.tuple(selector, fc.constantFrom("[5m]", " [ 1h ]")),
      fc.tuple(instant, fc.constantFrom("[5m:]", "[1h:1m]")).map(([inner, text]) => [`(${inner})`, text] as const),
    ),
    fc.constantFrom("", " offset 5m", " offset (5m)", " @ end()", " @ 12.5 offset -1h", " # ]"),
    fc.nat(3),
  )
  .map(([[inner, brackets], more, depth]) => {
    const text = `${inner}${brackets}${more}`;
    return `${"( ".repeat(depth)}${text}${"\n)".repeat(depth)}  `;
  });

describe("whether a query is a range vector", () => {
  it("sees every selector and subquery with a range, whatever is around it", () => {
    fc.assert(fc.property(range, (query) => isRangeVector(query)));
  });

  it("takes nothing else for one", () => {
    fc.assert(fc.property(instant, (query) => !isRangeVector(query)));
  });

  it.each(["", "((", "))[", '"[', "`", "(a)(b)", "#", "{[}"])("reads %j to its end", (query) => {
    expect(isRangeVector(query)).toBeTypeOf("boolean");
  });
});
