import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeSeriesQuery,
  encodeSeriesQuery,
  hasLabelText,
  listTextOf,
  mostSeriesIn,
} from "../../../../services/plumbing/series-text";

const text = (data: unknown, more: object = {}) => Buffer.from(JSON.stringify({ status: "success", data, ...more }));
const truncated = { warnings: ["results truncated due to limit"] };

/** Label sets whose texts look like JSON themselves. */
const awkward = fc.array(
  fc.dictionary(
    fc.constantFrom("a", "b", "__name__", "prometheus_replica"),
    fc.string({ unit: fc.constantFrom('"', "{", "}", "[", "]", ",", ":", "\\", "x", "ü", "\n", "prometheus_replica") }),
  ),
  { maxLength: 4 },
);

describe("a list of series as text", () => {
  it("is what stands between the brackets, whatever labels hold", () => {
    fc.assert(
      fc.property(awkward, fc.boolean(), (series, isOfThanos) => {
        const answer = Buffer.concat([text(series), Buffer.from(isOfThanos ? "\n" : "")]);
        const found = listTextOf(answer);
        const list = typeof found === "string" ? found : found.list.toString();
        expect(JSON.parse(`[${list}]`)).toEqual(series);
      }),
    );
  });

  it("is counted, never too low", () => {
    fc.assert(
      fc.property(awkward, (series) => {
        const found = listTextOf(text(series));
        expect(mostSeriesIn(typeof found === "string" ? Buffer.alloc(0) : found.list)).toBeGreaterThanOrEqual(
          series.length,
        );
      }),
    );
    expect(mostSeriesIn(Buffer.from('{"a":"1"},{"a":"2"},{"a":"3"}'))).toBe(3);
    expect(mostSeriesIn(Buffer.from('{"a":"1"}'))).toBe(1);
    expect(mostSeriesIn(Buffer.alloc(0))).toBe(0);
  });

  it("tells whether a label has a name, not whether a text holds it", () => {
    fc.assert(
      fc.property(awkward, (series) => {
        const found = listTextOf(text(series));
        const list = typeof found === "string" ? Buffer.alloc(0) : found.list;
        const isThere = series.some((one) => "prometheus_replica" in one);
        expect(hasLabelText(list, "prometheus_replica")).toBe(isThere);
      }),
    );
  });

  it.each([
    ["an error", { status: "error", errorType: "bad_data", error: "x}]}" }],
    ["a warning behind it", { status: "success", data: [{ a: "1" }], warnings: ["a }]} b"] }],
    ["a warning that looks like the end", { status: "success", data: [{ a: "1" }], warnings: ['"}]}'] }],
    ["infos behind it", { status: "success", data: [], infos: ["x"] }],
    ["nothing", { status: "success", data: null }],
    ["something else", { status: "success", data: ["a"] }],
    ["an object", { status: "success", data: { a: [] } }],
  ])("is none where there is %s", (_, answer) => {
    expect(listTextOf(Buffer.from(JSON.stringify(answer)))).toBe("other");
  });

  it("is none where the answer was cut, or is no JSON", () => {
    const whole = text([{ a: "1" }, { b: "2" }]);
    for (let end = 0; end < whole.length; end++) expect(listTextOf(whole.subarray(0, end))).toBe("other");
    expect(listTextOf(Buffer.from("bad gateway"))).toBe("other");
  });

  it("tells of the limit", () => {
    expect(listTextOf(text([{ a: "1" }], truncated))).toBe("truncated");
    expect(listTextOf(Buffer.concat([text([], truncated), Buffer.from("\n")]))).toBe("truncated");
  });
});

describe("what is asked for series", () => {
  it("comes out as it went in", () => {
    const query = {
      matches: ['{a=~"ü.*"}', "up"],
      oldest: 1_795_000_000_001,
      newest: 1_795_000_000_999,
      limit: 40_000,
    };
    expect(decodeSeriesQuery(encodeSeriesQuery(query))).toStrictEqual(query);
    const none = { matches: ["up"], oldest: 0, newest: 0, limit: 0 };
    expect(decodeSeriesQuery(encodeSeriesQuery(none))).toStrictEqual(none);
  });
});
