import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareLabels, hasLabel } from "../../../../services/adapter/labels-order";
import { encodeLabels } from "../../../../services/adapter/messages";

const text = fc.oneof(
  fc.stringMatching(/^[a-c]{0,3}$/),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("x".repeat(130), `${"x".repeat(130)}y`, "x".repeat(20_000), "\u{1f600}", "\uffff"),
);
const bytes = (one: string) => Buffer.from(one);
const metric = fc
  .dictionary(
    text.filter((name) => name !== "" && name !== "__proto__"),
    text,
    { maxKeys: 5 },
  )
  .map((labels) => Object.entries(labels).sort(([one], [other]) => bytes(one).compare(bytes(other))));

/** labels.Compare, by the plainest means. */
function plainly(one: readonly (readonly [string, string])[], other: typeof one): number {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    for (const part of [0, 1] as const) {
      const difference = bytes(one[at]?.[part] ?? "").compare(bytes(other[at]?.[part] ?? ""));
      if (difference !== 0) return difference;
    }
  }
  return Math.sign(one.length - other.length);
}

describe("the order of label sets", () => {
  const encoded = (pairs: readonly (readonly [string, string])[]) =>
    Buffer.concat(pairs.map((pair) => encodeLabels(Object.fromEntries([pair]))));

  it("is that of labels.Compare, of any label sets", () => {
    fc.assert(
      fc.property(metric, metric, fc.nat(5), (one, rest, shared) => {
        const other = [...one.slice(0, shared), ...rest].slice(0, 6);
        const [mine, theirs] = [encoded(one), encoded(other)];
        expect(Math.sign(compareLabels(mine, theirs))).toBe(plainly(one, other));
        expect(Math.sign(compareLabels(theirs, mine))).toBe(-plainly(one, other) + 0);
      }),
    );
  });

  it("tells whether there is a label", () => {
    fc.assert(
      fc.property(metric, text, (one, name) => {
        expect(hasLabel(encoded(one), bytes(name))).toBe(one.some(([each]) => each === name));
      }),
    );
  });
});
