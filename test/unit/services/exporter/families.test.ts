import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../../services/exporter/exposition";
import { ExpositionError } from "../../../../services/exporter/exposition-error";
import { FamiliesError, textOfFamilies } from "../../../../services/exporter/families";
import { goFloat } from "../../../../services/exporter/go-float";
import { bytesField } from "../../../../services/plumbing/protobuf";
import { distribution, families, family, metric, plain, types } from "./families-of";
import { cases } from "../../../thorough";

const limit = 1_000_000;

function linesOf(...list: readonly Buffer[]): readonly string[] {
  return textOfFamilies(families(...list), limit)
    .toString()
    .split("\n")
    .slice(0, -1);
}

describe("the lines of a message", () => {
  it("are one for each gauge, counter and untyped metric, with escapes and all", () => {
    expect(
      linesOf(
        family("g", types.gauge, [
          metric({ gatewayID: "g1", networkID: 'a"b\\c\nd' }, 5, plain("gauge", 1.5)),
          metric({}, 6, plain("gauge", NaN)),
        ]),
        family("c", undefined, [metric({}, undefined, plain("counter", Infinity))]),
        family("u", types.untyped, [metric({}, -7, plain("untyped", undefined))]),
        family("none", types.gauge, []),
      ),
    ).toStrictEqual(['g{gatewayID="g1",networkID="a\\"b\\\\c\\nd"} 1.5 5', "g NaN 6", "c +Inf", "u 0 -7"]);
  });

  it("are quantiles, sum and count of a summary", () => {
    const content = distribution("summary", 3, 4.5, [
      [0.5, 1],
      [0.99, 2],
    ]);
    expect(linesOf(family("s", types.summary, [metric({ a: "b" }, 5, content)]))).toStrictEqual([
      's{a="b",quantile="0.5"} 1 5',
      's{a="b",quantile="0.99"} 2 5',
      's_sum{a="b"} 4.5 5',
      's_count{a="b"} 3 5',
    ]);
  });

  it("are buckets, sum and count of a histogram, with +Inf where the message has none", () => {
    const without = distribution("histogram", 3, 4.5, [[1e6, 2]]);
    const withIt = distribution("histogram", 3, 4.5, [[Infinity, 3]]);
    const rest = ["h_sum 4.5", "h_count 3"];
    expect(linesOf(family("h", types.histogram, [metric({}, undefined, without)]))).toStrictEqual([
      'h_bucket{le="1e+06"} 2',
      'h_bucket{le="+Inf"} 3',
      ...rest,
    ]);
    expect(linesOf(family("h", types.histogram, [metric({}, undefined, withIt)]))).toStrictEqual([
      'h_bucket{le="+Inf"} 3',
      ...rest,
    ]);
  });
});

/** As Go 1.26 prints them. */
it.each([
  [0.005, "0.005"],
  [100000, "100000"],
  [1e6, "1e+06"],
  [1234567, "1.234567e+06"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [-2.5, "-2.5"],
  [1e21, "1e+21"],
  [Number.MAX_VALUE, "1.7976931348623157e+308"],
  [5e-324, "5e-324"],
  [-0, "0"],
  [-Infinity, "-Inf"],
])("goFloat(%d) is %s", (value, text) => expect(goFloat(value)).toBe(text));

describe("a message that is refused", () => {
  const gauge = [metric({}, 1, plain("gauge", 1))];
  it.each<[string, Buffer, string]>([
    ["whose metric has no name", families(family("", types.gauge, gauge)), 'metric name "" is not one'],
    ["whose name breaks out of its line", families(family("a 1\nb", types.gauge, gauge)), '"a 1\\nb" is not one'],
    [
      "whose label breaks out of its braces",
      families(family("m", types.gauge, [metric({ 'a="b"} 1\nx{c': "" }, 1, plain("gauge", 1))])),
      'metric "m": label name',
    ],
    [
      "whose type says otherwise than its content",
      families(family("m", types.histogram, gauge)),
      'metric "m": is of type histogram and has no histogram in a metric',
    ],
    ["of an unknown type", families(family("m", 9, gauge)), 'metric "m": unknown metric type 9'],
    ["that is cut off", families(family("m", types.gauge, gauge)).subarray(0, 12), "can't be read: truncated message"],
  ])("%s names the metric and the reason", (_, message, reason) => {
    expect(() => textOfFamilies(message, limit)).toThrow(reason);
  });

  it("for the text that it would be: a long name stands in every line", () => {
    const long = families(
      family(
        "m".repeat(10_000),
        types.gauge,
        Array.from({ length: 1000 }, () => metric({}, 1, plain("gauge", 1))),
      ),
    );
    expect(long.length).toBeLessThan(40_000);
    expect(() => textOfFamilies(long, limit)).toThrow("more than 1000000 bytes as text; send it in smaller pieces");
  });
});

describe("whatever is in a message", () => {
  it("becomes lines that the parser reads back as that many samples, or is refused with a reason", () => {
    const name = fc.oneof(fc.constantFrom("a", "m_1", "ns:x", "gatewayID"), fc.string());
    const one = fc
      .tuple(fc.dictionary(name, fc.string({ unit: "binary" })), fc.option(fc.integer({ min: 0 }), { nil: undefined }))
      .chain(([labels, time]) => fc.double().map((value) => metric(labels, time, plain("gauge", value))));
    const list = fc.array(fc.tuple(name, fc.array(one, { maxLength: 4 })), { maxLength: 4 });
    fc.assert(
      fc.property(list, (all) => {
        const message = families(...all.map(([each, metrics]) => family(each, types.gauge, metrics)));
        try {
          const lines = textOfFamilies(message, limit);
          const { count } = parseExposition(lines, { shardLabel: "gatewayID", receiveTime: 1 });
          expect(count).toBe(all.reduce((sum, [, metrics]) => sum + metrics.length, 0));
        } catch (error) {
          expect(error instanceof FamiliesError || error instanceof ExpositionError, String(error)).toBe(true);
        }
      }),
      { numRuns: cases(2000) },
    );
  });

  it("never makes it throw anything but a FamiliesError", () => {
    const bytes = fc.uint8Array({ maxLength: 80 }).map((each) => Buffer.from(each));
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          bytes.map((each) => bytesField(1, each)),
        ),
        (message) => {
          try {
            textOfFamilies(message, limit);
          } catch (error) {
            expect(error).toBeInstanceOf(FamiliesError);
          }
        },
      ),
      { numRuns: cases(5000) },
    );
  });
});
