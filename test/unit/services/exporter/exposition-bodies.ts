import fc from "fast-check";
import { receiveTime } from "./exposition-cases";

/** One sample, however it is written. */
export interface Sample {
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
export const sample: fc.Arbitrary<Sample> = fc.record({
  name: metricName,
  labels: fc.uniqueArray(fc.tuple(labelName, labelValue), { selector: ([name]) => name, maxLength: 5 }),
  value,
  timestamp: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 }), { nil: undefined }),
});

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
}

/** What the line must become, by another way than the exporter's. */
export function canonical({ name, labels, value: text, timestamp }: Sample): string {
  const kept = labels
    .filter(([, content]) => content !== "")
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([label, content]) => `${label}="${escaped(content)}"`)
    .join(",");
  return `${name}${kept === "" ? "" : `{${kept}}`} ${text} ${String(timestamp ?? receiveTime)}`;
}

/** One of the many ways to write the sample; `gap` gives the blanks. */
export function written({ name, labels, value: text, timestamp }: Sample, gap: () => string, comma: boolean): string {
  const inside = labels.map(([label, content]) => `${gap()}${label}${gap()}=${gap()}"${escaped(content)}"${gap()}`);
  const end = comma && inside.length > 0 ? `,${gap()}` : "";
  const braces = inside.length === 0 && !comma ? "" : `{${inside.join(",")}${end}}`;
  const tail = timestamp === undefined ? "" : ` ${gap()}${String(timestamp)}`;
  return `${gap()}${name}${gap()}${braces} ${gap()}${text}${tail}\n`;
}

/** Blanks between the parts of a line, and a comma after the last label or none. */
export const layout = fc.record({
  gaps: fc.array(fc.constantFrom("", "", " ", "\t", "  "), { minLength: 1 }),
  comma: fc.boolean(),
});

/** Goes around the given blanks. */
export function gapsOf(gaps: readonly string[]): () => string {
  let next = 0;
  return () => {
    next += 1;
    return gaps[next % gaps.length] ?? "";
  };
}

const pieces = fc.constantFrom(
  ...'a b le {} { } = " " , \\ \\n \\\\ \\" 1 0 - + . e NaN Inf x p _ : # \t \r \0 é'.split(" "),
  ...[" ", "\n", "# HELP ", "# TYPE ", "counter", 'a{b="c"} 1 5\n', 'a{d="e",b="c"} 2\n', "1700000000000"],
);
/** Bytes of every kind: nonsense, pieces of the format, and good bodies with a few bytes exchanged. */
export const anyBody: fc.Arbitrary<Buffer> = fc.oneof(
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
