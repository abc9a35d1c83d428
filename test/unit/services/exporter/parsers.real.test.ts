import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyBody, gapsOf, layout, sample, written } from "./exposition-bodies";
import { acceptedCases, refusedCases } from "./exposition-cases";
import { ParserComparison } from "./parser-comparison";
import { hasGo } from "./real-parsers";

const isRequired = process.env["REQUIRE_CHECKERS"] === "1";

describe.skipIf(!hasGo && !isRequired)("beside the parsers of the hub and of Prometheus", () => {
  let parsers: ParserComparison;
  beforeAll(() => {
    parsers = new ParserComparison();
  }, 120_000);
  afterAll(() => parsers.stop());

  it.each([...acceptedCases, ...refusedCases])("$body", async ({ body }) => {
    await parsers.compare(Buffer.from(body));
  });

  it("takes what both take, and gives both the same samples (20,000 bodies)", async () => {
    const entry = fc.tuple(sample, layout).map(([one, { gaps, comma }]) => written(one, gapsOf(gaps), comma));
    const valid = fc.array(entry, { maxLength: 5 }).map((lines) => Buffer.from(lines.join("")));
    // Hundreds at a time: one after another, each would wait for two processes to wake up.
    const bodies = fc.array(fc.oneof(anyBody, valid), { minLength: 200, maxLength: 200, size: "max" });
    await fc.assert(
      fc.asyncProperty(bodies, async (some) => {
        await Promise.all(some.map((body) => parsers.compare(body)));
      }),
      { numRuns: 100, endOnFailure: true },
    );
    // Both kinds must occur, or the generator has gone blind.
    expect(Math.min(parsers.accepted, parsers.refused)).toBeGreaterThan(2_000);
  }, 400_000);
});
