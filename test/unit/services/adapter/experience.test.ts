import { describe, expect, it } from "vitest";
import { LeafNeeded, Share } from "../../../../services/adapter/answer";
import { Budget } from "../../../../services/plumbing/budget";
import { Experience } from "../../../../services/adapter/experience";

const asked = { query: "sum(up)", start: 1_000, end: 1_000 };

/** Why an answer of some bytes is refused. */
function reasonFor(share: Share, bytes: number): string | undefined {
  try {
    share.take(bytes);
  } catch (error) {
    if (error instanceof LeafNeeded) return error.reason;
    throw error;
  }
  return undefined;
}

describe("what a query needed before", () => {
  it("is remembered where it was too large itself, for ten minutes and ranges as long", () => {
    let now = 0;
    const experience = new Experience(() => now);
    const range = { ...asked, end: 5_000 };
    experience.refused(range, "too large");
    expect(experience.reasonForLeaf(range)).toBe("too large");
    expect(experience.reasonForLeaf(asked)).toBeUndefined();
    now = 600_000;
    expect(experience.reasonForLeaf(range)).toBeUndefined();
  });

  it("is not remembered where only the answers of others took up the room", () => {
    const budget = new Budget(1_000);
    expect(reasonFor(new Share(budget), 900)).toBeUndefined();
    expect(reasonFor(new Share(budget), 200)).toBe("busy");
    expect(reasonFor(new Share(budget), 64 * 1024 * 1024)).toBe("too large");
    const experience = new Experience();
    experience.refused(asked, "busy");
    expect(experience.reasonForLeaf(asked)).toBeUndefined();
  });
});
