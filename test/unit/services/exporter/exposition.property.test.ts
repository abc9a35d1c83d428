import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpositionError } from "../../../../services/exporter/exposition-error";
import { receiveTime } from "./exposition-cases";
import { canonicalLines } from "./read-lines";

interface Sample {
  readonly name: string;
  readonly labels: readonly (readonly [string, string])[];
  readonly value: string;
  readonly timestamp: number | undefined;
}

const metricName = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/);
const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((name) => name !== "__name__");
const labelValue = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "}", ",", "=", " ", "\t", "#", "é"), maxLength: 8 }),
);
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.constantFrom("NaN", "+Inf", "-Inf", "inf", "1e5", ".5", "5.", "-0", "+1", "0001", "1E-7"),
);
const sample: fc.Arbitrary<Sample> = fc.record({
  name: metricName,
  labels: fc.uniqueArray(fc.tuple(labelName, labelValue), { selector: ([name]) => name, maxLength: 5 }),
  value,
  timestamp: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 }), { nil: undefined }),
});

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
}

/** What the line must become, by another way than the exporter's. */
function canonical({ name, labels, value: text, timestamp }: Sample): string {
  const kept = labels
    .filter(([, content]) => content !== "")
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([label, content]) => `${label}="${escaped(content)}"`)
    .join(",");
  return `${name}${kept === "" ? "" : `{${kept}}`} ${text} ${String(timestamp ?? receiveTime)}`;
}

/** One of the many ways to write the sample; `gap` gives the blanks. */
function written({ name, labels, value: text, timestamp }: Sample, gap: () => string, comma: boolean): string {
  const inside = labels.map(([label, content]) => `${gap()}${label}${gap()}=${gap()}"${escaped(content)}"${gap()}`);
  const end = comma && inside.length > 0 ? `,${gap()}` : "";
  const braces = inside.length === 0 && !comma ? "" : `{${inside.join(",")}${end}}`;
  const tail = timestamp === undefined ? "" : ` ${gap()}${String(timestamp)}`;
  return `${gap()}${name}${gap()}${braces} ${gap()}${text}${tail}\n`;
}

const layout = fc.record({
  gaps: fc.array(fc.constantFrom("", "", " ", "\t", "  "), { minLength: 1 }),
  comma: fc.boolean(),
});

function gapsOf(gaps: readonly string[]): () => string {
  let next = 0;
  return () => {
    next += 1;
    return gaps[next % gaps.length] ?? "";
  };
}

describe("valid bodies", () => {
  it("are accepted however they are laid out, and give canonical lines", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, layout), { maxLength: 8 }), (entries) => {
        const body = entries.map(([one, { gaps, comma }]) => written(one, gapsOf(gaps), comma)).join("");
        expect(canonicalLines(body)).toStrictEqual(entries.map(([one]) => canonical(one)));
      }),
      { numRuns: 1000 },
    );
  });

  it("are read again as they were written", () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 8 }), (samples) => {
        const once = canonicalLines(samples.map((one) => written(one, () => "", false)).join(""));
        expect(canonicalLines(once.map((line) => `${line}\n`).join(""))).toStrictEqual(once);
      }),
      { numRuns: 500 },
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
  const pieces = fc.constantFrom(
    ...'a b le {} { } = " " , \\ \\n \\\\ \\" 1 0 - + . e NaN Inf x p _ : # \t \r \0 é'.split(" "),
    ...[" ", "\n", "# HELP ", "# TYPE ", "counter", 'a{b="c"} 1 5\n', 'a{d="e",b="c"} 2\n', "1700000000000"],
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(pieces, { maxLength: 20 }).map((parts) => Buffer.from(parts.join(""))),
    fc
      .tuple(fc.array(sample, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 3 }))
      .map(([samples, where, cut, bytes]) => {
        const whole = Buffer.from(samples.map((one) => written(one, () => "", false)).join(""));
        const at = where % whole.length;
        return Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(at + cut)]);
      }),
  );

  it("give lines that are canonical, or the one typed error (10,000 bodies)", () => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(body, (bytes) => {
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
      { numRuns: 10_000 },
    );
    // Both kinds must occur, or the generator has gone blind.
    expect(Math.min(accepted, refused)).toBeGreaterThan(500);
  });

  it("have the same outcome in the common layout as in any other (10,000 bodies)", () => {
    fc.assert(
      fc.property(body, (bytes) => {
        expect(outcome(bytes)).toStrictEqual(outcome(indented(bytes)));
      }),
      { numRuns: 10_000 },
    );
  });
});
