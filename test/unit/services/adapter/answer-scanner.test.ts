import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerScanner, type Envelope, type Point } from "../../../../services/adapter/answer-scanner";
import { encodeLabels } from "../../../../services/adapter/messages";
import type { ListOf } from "../../../../services/adapter/series-reader";
import { decodeSeries, TimeSeriesWriter } from "../../../../services/adapter/time-series";
import { bytesField, fieldsOf, varintField } from "../../../../services/plumbing/protobuf";
import { cases } from "../../../thorough";

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: Point;
  readonly values?: readonly Point[];
}

/** The same by the plainest means: JSON.parse, and one buffer for each field. */
function plainly({ metric, value, values = value === undefined ? [] : [value] }: Series): Buffer {
  const samples = values.map(([time, text]) => {
    const number = Buffer.alloc(8);
    number.writeDoubleLE(Number(text.replace("Inf", "Infinity")));
    const milliseconds = BigInt(Math.round(time * 1000));
    return bytesField(2, Buffer.concat([Buffer.from([0x09]), number, varintField(2, milliseconds)]));
  });
  return Buffer.concat([encodeLabels(metric), ...samples]);
}

/** What the scanner makes of an answer that comes in pieces of some size. */
function scan(
  text: string,
  size = 65_536,
  listOf: ListOf = "series",
): { found: Buffer[]; labels: Buffer[]; envelope: Envelope } {
  const bytes = Buffer.from(text);
  const found: Buffer[] = [];
  const labels: Buffer[] = [];
  const scanner = new AnswerScanner((content, labelsEnd) => {
    found.push(content);
    labels.push(content.subarray(0, labelsEnd));
  }, listOf);
  for (let at = 0; at < bytes.length; at += size) scanner.push(Buffer.from(bytes.subarray(at, at + size)));
  return { envelope: scanner.end(), found, labels };
}

function answer(resultType: "vector" | "matrix", result: unknown): string {
  return JSON.stringify({ status: "success", data: { resultType, result }, infos: ["an info"] });
}

/** As Go's strconv.FormatFloat(f, 'f' or 'e', -1, 64) writes it. */
function goText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  // Both write the fewest digits that tell the number from others.
  return String(value).replace(/e([+-])(\d)$/, "e$10$2");
}

const float = fc
  .oneof(
    fc.double(),
    fc.integer().map((whole) => whole / 1000),
    fc.integer(),
    fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 2 ** 53, 1e21, 999999999999999.9),
  )
  .map(goText);
const time = fc.oneof(
  fc.integer({ min: 0, max: 4_000_000_000 }),
  fc.integer({ min: -4e12, max: 4e12 }).map((milliseconds) => milliseconds / 1000),
);
const point = fc.tuple(time, float);
const name = fc.oneof(
  fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/),
  fc.integer({ min: 0, max: 99 }).map(String),
  fc.string(),
);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom('"', "\\", '}],"values":[[1,"2"]]', "é\u0000"),
);
/** Prometheus sorts labels by their bytes, and JSON.stringify would put `10` first: the text is made by hand. */
const metric = fc.dictionary(name, text, { maxKeys: 6 });
const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
function written(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([one], [other]) => byBytes(one, other));
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}
const list = (points: readonly Point[]): string =>
  `[${points.map(([at, value]) => `[${String(at)},"${value}"]`).join(",")}]`;
const size = fc.integer({ min: 1, max: 100 });
/** A character for each byte: long buffers are compared byte by byte otherwise, each a call. */
const texts = (all: readonly Buffer[]): readonly string[] => all.map((each) => each.toString("latin1"));

describe("answer scanner", () => {
  it("makes of every matrix what reading it with JSON.parse makes of it, however the bytes are cut", () => {
    const series = fc.record({ metric, values: fc.array(point, { minLength: 1 }) });
    fc.assert(
      fc.property(fc.array(series), fc.array(fc.string()), size, (result, warnings, size) => {
        const all = result.map((one) => `{"metric":${written(one.metric)},"values":${list(one.values)}}`).join(",");
        const rest = `,"stats":{"samples":{"peakSamples":3}}},"warnings":${JSON.stringify(warnings)}}`;
        const body = `{"status":"success","data":{"resultType":"matrix","result":[${all}]${rest}`;
        const { found, labels, envelope } = scan(body, size);
        const parsed = (JSON.parse(body) as { data: { result: Series[] } }).data.result;
        expect(found).toStrictEqual(parsed.map(plainly));
        expect(labels).toStrictEqual(parsed.map((one) => encodeLabels(one.metric)));
        expect(envelope).toMatchObject({
          status: "success",
          warnings,
          data: { stats: { samples: { peakSamples: 3 } } },
        });
      }),
      { numRuns: cases(500) },
    );
  });

  it("does so with vectors too", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ metric, value: point })), size, (result, size) => {
        const all = result.map((one) => `{"metric":${written(one.metric)},"value":${list([one.value]).slice(1, -1)}}`);
        const body = `{"status":"success","data":{"resultType":"vector","result":[${all.join(",")}]}}`;
        const parsed = (JSON.parse(body) as { data: { result: Series[] } }).data.result;
        expect(scan(body, size).found).toStrictEqual(parsed.map(plainly));
      }),
      { numRuns: cases(500) },
    );
  });

  it("does so with label sets alone", () => {
    fc.assert(
      fc.property(fc.array(metric), fc.array(fc.string()), size, (all, warnings, size) => {
        const body = `{"status":"success","data":[${all.map(written).join(",")}],"warnings":${JSON.stringify(warnings)}}`;
        const { found, labels, envelope } = scan(body, size, "labels");
        const parsed = (JSON.parse(body) as { data: Record<string, string>[] }).data;
        expect(found).toStrictEqual(parsed.map(encodeLabels));
        expect(labels).toStrictEqual(found);
        expect(envelope).toMatchObject({ status: "success", data: [], warnings });
      }),
      { numRuns: process.env["THOROUGH"] === "1" ? 500 : 50 },
    );
  });

  it.each([
    '{"status":"success","data":null}',
    '{"status":"success"}',
    '{"status":"success","data":{"resultType":"vector","result":[]}}',
    '{"status":"success", "data":[{"a":"b"}]}',
    '{"status":"success","data":[["a"]]}',
    '{"status":"success","data":[{"a":1}]}',
    '{"status":"success","data":[{"a":"1"},{"a":1}]}',
    '{"status":"success","data":[{"a":"b"}',
    '{"status":"success","data":[{"a":"b"}]',
    '{"status":"success","data":[',
  ])("does not take %s for an answer about series", (body) => {
    expect(() => scan(body, 5, "labels")).toThrow(SyntaxError);
  });

  it("keeps series apart that are larger than what comes at a time", () => {
    const values = Array.from({ length: 4_000 }, (_, at): Point => [1_767_308_400 + at, String(at / 7)]);
    const result = ["a", "b", "c"].map((one): Series => ({ metric: { one }, values }));
    expect(texts(scan(answer("matrix", result)).found)).toStrictEqual(texts(result.map(plainly)));
  });

  it("passes a series on that has no points", () => {
    const { found } = scan(answer("matrix", [{ metric: { a: "b" } }, { metric: {} }]));
    expect(found).toStrictEqual([encodeLabels({ a: "b" }), Buffer.alloc(0)]);
  });

  it("leaves native histograms to the leaf, alone or beside floats, in any pieces", () => {
    const histogram = [1, { count: "1", sum: "2" }];
    for (const one of [
      { metric: { a: "b" }, histogram },
      { metric: { a: "b" }, histograms: [histogram] },
      { metric: { a: "b" }, values: [[1, "2"]], histograms: [histogram] },
    ]) {
      for (const size of [1, 7, 1000]) {
        expect(() => scan(answer("matrix", [{ metric: {}, values: [[1, "2"]] }, one]), size)).toThrow(
          "native histograms",
        );
      }
    }
  });

  it("hands errors and scalars on as they are", () => {
    const error = '{"status":"error","errorType":"bad_data","error":"x"}';
    expect(scan(error).envelope).toMatchObject({ errorType: "bad_data" });
    const scalar = '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}';
    expect(scan(scalar).envelope.data).toStrictEqual({ resultType: "scalar", result: [1, "2"] });
  });

  it("takes no answer for whole that broke off", () => {
    for (const whole of [
      answer("vector", [{ metric: { a: "b" }, value: [1.5, "2"] }]),
      answer("matrix", [
        {
          metric: { a: "b" },
          values: [
            [1, "2"],
            [2, "3.5"],
          ],
        },
        { metric: { a: "c" }, values: [[1, "2"]] },
      ]),
    ]) {
      for (let length = 0; length < whole.length; length++)
        expect(() => scan(whole.slice(0, length))).toThrow(SyntaxError);
    }
    expect(() => scan("Service Unavailable")).toThrow(SyntaxError);
    expect(() => scan("[1]")).toThrow("not an answer of Prometheus");
  });

  it("does not take series in another form for none", () => {
    const data = { result: [{ metric: {}, value: [1, "2"] }], resultType: "vector" };
    expect(() => scan(JSON.stringify({ status: "success", data }))).toThrow("series in an unknown form");
    expect(scan(answer("vector", [])).found).toStrictEqual([]);
  });

  it.each([
    ["a value that is no number", [{ metric: {}, values: [[1, "x"]] }]],
    ["an empty value", [{ metric: {}, values: [[1, ""]] }]],
    ["a value that is no text", [{ metric: {}, values: [[1, 2]] }]],
    ["a time that is none", [{ metric: {}, values: [[null, "2"]] }]],
    ["a point with more in it", [{ metric: {}, values: [[1, "2", 3]] }]],
    ["another member than is known", [{ metric: {}, values: [[1, "2"]], more: [] }]],
    ["a series without labels", [{ values: [[1, "2"]], metric: {} }]],
    ["a label that is no text", [{ metric: { a: 1 }, values: [[1, "2"]] }]],
    ["something else than a series", [17, "eighteen and more"]],
  ])("refuses %s rather than guess", (_, result) => {
    expect(() => scan(answer("matrix", result))).toThrow(SyntaxError);
  });
});

describe("time series", () => {
  it("are written bit by bit as they are", () => {
    const values = [0, -0, 1.5, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE];
    const times = [1_700_000_000_123, 0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 53 - 1, -5000];
    const samples = values.flatMap((value) => times.map((at) => [at, value] as const));
    const writer = new TimeSeriesWriter();
    for (const [at, value] of samples) writer.sample(at, value);
    const content = writer.take();
    const read = fieldsOf(content).map(({ bytes }) => fieldsOf(bytes).map(({ value }) => value));
    expect(read).toStrictEqual(samples.map(([at, value]) => [value, at]));
    expect(decodeSeries(content)).toStrictEqual({ labels: {}, samples });
  });

  it("are read with their labels, of any length", () => {
    fc.assert(
      fc.property(metric, fc.nat(300), (labels, repeat) => {
        const long = Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, value.repeat(repeat)]));
        const valid = JSON.parse(Buffer.from(JSON.stringify(long)).toString()) as Record<string, string>;
        const { found } = scan(
          `{"status":"success","data":{"resultType":"matrix","result":[{"metric":${written(valid)}}]}}`,
        );
        expect(texts(found)).toStrictEqual(texts([encodeLabels(valid)]));
        expect(decodeSeries(encodeLabels(valid)).labels).toStrictEqual(valid);
      }),
      { numRuns: cases(100) },
    );
  });
});
