import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpositionError } from "../../../../services/exporter/exposition-error";
import { anyBody, canonical, gapsOf, layout, sample, written } from "./exposition-bodies";
import { canonicalLines } from "./read-lines";
import { cases } from "../../../thorough";

describe("valid bodies", () => {
  it("are accepted however they are laid out, and give canonical lines", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, layout), { maxLength: 8 }), (entries) => {
        const body = entries.map(([one, { gaps, comma }]) => written(one, gapsOf(gaps), comma)).join("");
        expect(canonicalLines(body)).toStrictEqual(entries.map(([one]) => canonical(one)));
      }),
      { numRuns: cases(1000) },
    );
  });

  it("are read again as they were written", () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 8 }), (samples) => {
        const once = canonicalLines(samples.map((one) => written(one, () => "", false)).join(""));
        expect(canonicalLines(once.map((line) => `${line}\n`).join(""))).toStrictEqual(once);
      }),
      { numRuns: cases(500) },
    );
  });
});

/** Lines, or line and reason of the refusal. */
function outcome(body: Buffer): unknown {
  try {
    return canonicalLines(body);
  } catch (error) {
    if (error instanceof ExpositionError) return { line: error.line, reason: error.reason };
    throw error;
  }
}

/** The same body in a layout that is hardly ever sent, so that the reader of the common one passes every line on. */
function indented(body: Buffer): Buffer {
  return Buffer.from(` ${body.toString("latin1").replaceAll("\n", "\n ")}`, "latin1");
}

describe("any bytes", () => {
  it("give lines that are canonical, or the one typed error", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(anyBody, (bytes) => {
        try {
          const lines = canonicalLines(bytes);
          accepted += 1;
          expect(canonicalLines(lines.map((line) => `${line}\n`).join(""))).toStrictEqual(lines);
        } catch (error) {
          if (!(error instanceof ExpositionError)) throw error;
          refused += 1;
          expect(error.line).toBeGreaterThan(0);
          expect(error.line).toBeLessThanOrEqual(bytes.toString("latin1").split("\n").length);
        }
      }),
      { numRuns: cases(10_000) },
    );
    // Both kinds must occur, or the generator has gone blind.
    expect(Math.min(accepted, refused)).toBeGreaterThan(cases(10_000) / 20);
  });

  it("have the same outcome in the common layout as in any other", () => {
    fc.assert(
      fc.property(anyBody, (bytes) => {
        expect(outcome(bytes)).toStrictEqual(outcome(indented(bytes)));
      }),
      { numRuns: cases(10_000) },
    );
  });
});
