import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../../services/exporter/exposition";
import { ExpositionError } from "../../../../services/exporter/exposition-error";
import { acceptedCases, receiveTime, refusedCases } from "./exposition-cases";
import { canonicalLines } from "./read-lines";

function refusal(body: string | Buffer): { line: number; reason: string } {
  try {
    canonicalLines(body);
  } catch (error) {
    if (error instanceof ExpositionError) return { line: error.line, reason: error.reason };
    throw error;
  }
  throw new Error("accepted");
}

describe("accepted by both parsers", () => {
  it.each(acceptedCases)("$body ($source)", ({ body, lines }) => {
    expect(canonicalLines(body)).toStrictEqual(lines);
  });
});

describe("refused by one of the parsers", () => {
  it.each(refusedCases)("$body ($source)", ({ body, line, reason }) => {
    expect(refusal(body)).toStrictEqual({ line, reason });
  });
});

describe("not UTF-8", () => {
  it.each([
    ["a byte that never occurs", [0xff]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["an overlong zero byte", [0xc0, 0x80]],
    ["a cut character", [0xe7, 0xb6]],
  ])("%s in a label value, with its line", (_, bytes) => {
    const body = Buffer.concat([Buffer.from('ok 1 2\na{b="'), Buffer.from(bytes), Buffer.from('"} 1 2\n')]);
    expect(refusal(body)).toStrictEqual({ line: 2, reason: "not valid UTF-8" });
  });

  it("in HELP, although it is dropped", () => {
    const body = Buffer.concat([Buffer.from("# HELP a "), Buffer.from([0xff]), Buffer.from("\n")]);
    expect(refusal(body)).toStrictEqual({ line: 1, reason: "not valid UTF-8" });
  });
});

describe("labels of one line", () => {
  const line = (names: readonly string[]): string => `m{${names.map((name) => `${name}="x"`).join(",")}} 1 5\n`;
  const name = fc.integer({ min: 0, max: 5_000 }).map((number) => `label_${String(number)}`);

  it("are sorted by name, however many they are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 90 }), (names) => {
        expect(canonicalLines(line(names))).toStrictEqual([line([...names].sort()).trimEnd()]);
      }),
    );
  });

  it("are refused at the first one that is there again, however many they are", () => {
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 90 }),
        fc.array(fc.nat(), { minLength: 1 }),
        (some, again) => {
          const names = [...some, ...again.map((at) => some[at % some.length] ?? "")];
          const twice = names.find((one, at) => names.indexOf(one) < at);
          expect(refusal(line(names))).toStrictEqual({ line: 1, reason: `duplicate label ${String(twice)}` });
        },
      ),
    );
  });

  it("hold nobody up when they are many, in descending order", () => {
    const names = Array.from({ length: 40_000 }, (_, at) => `label_${String(99_999 - at)}`);
    const startedAt = performance.now();
    expect(canonicalLines(line(names))).toStrictEqual([line([...names].reverse()).trimEnd()]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe("the largest timestamp", () => {
  const zeros = "0".repeat(1_000);

  it("is found behind any number of zeros", () => {
    expect(canonicalLines(`a 1 ${zeros}9223372036854775807\n`)).toStrictEqual(["a 1 9223372036854775807"]);
    for (const digits of [`${zeros}9223372036854775808`, `1${zeros}`]) {
      expect(refusal(`a 1 ${digits}\n`).reason).toMatch(/is beyond the range of a 64 bit integer$/);
    }
  });
});

describe("columns", () => {
  const body = Buffer.from(
    '# TYPE a gauge\na{gatewayID="g\\"1",z="y"} 1 5\nb 2\nc{gatewayID=""} 3 7\nd{z="1",gatewayID="h"} 4 8\n',
  );
  const samples = parseExposition(body, { shardLabel: "gatewayID", receiveTime });

  it("hold the line number and the timestamp", () => {
    expect([...samples.line.subarray(0, samples.count)]).toStrictEqual([2, 3, 4, 5]);
    expect([...samples.timestamp.subarray(0, samples.count)]).toStrictEqual([5, receiveTime, 7, 8]);
  });

  it("hold the routing key as written", () => {
    const keys = [0, 1, 2, 3].map((at) => samples.text.toString("utf8", samples.keyStart[at], samples.keyEnd[at]));
    expect(keys).toStrictEqual(['g\\"1', "", "", "h"]);
  });

  it("hold where the series ends", () => {
    const series = [0, 1, 2, 3].map((at) => samples.text.toString("utf8", samples.start[at], samples.seriesEnd[at]));
    expect(series).toStrictEqual(['a{gatewayID="g\\"1",z="y"}', "b", "c", 'd{gatewayID="h",z="1"}']);
  });

  it("grow with many short lines", () => {
    const many = Buffer.from(Array.from({ length: 5000 }, (_, at) => `a${String(at)} 1\n`).join(""));
    const read = parseExposition(many, { shardLabel: "gatewayID", receiveTime });
    expect(read.count).toBe(5000);
    expect(read.text.toString("utf8", read.start[4999], read.end[4999])).toBe(`a4999 1 ${String(receiveTime)}\n`);
  });

  it("hold lines with more labels than usual", () => {
    const labels = Array.from({ length: 200 }, (_, at) => `l${String(at).padStart(3, "0")}="v"`);
    const [line] = canonicalLines(`a{${[...labels].reverse().join(",")}} 1 5\n`);
    expect(line).toBe(`a{${labels.join(",")}} 1 5`);
  });

  it("share the body's memory when every line is canonical", () => {
    const canonical = Buffer.from('a{b="c"} 1 5\nd 2 6\n');
    expect(parseExposition(canonical, { shardLabel: "gatewayID", receiveTime }).text).toBe(canonical);
  });
});
