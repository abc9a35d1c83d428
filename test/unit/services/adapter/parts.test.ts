import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stepsOf, stepsOfPart } from "../../../../services/adapter/cutting";
import { batchQuery, compareBatches, merged, type BatchWindows } from "../../../../services/adapter/gaps";
import {
  decodeMessage,
  encodeMessage,
  frame,
  messagesOf,
  timeoutHeader,
  timeoutOf,
} from "../../../../services/plumbing/grpc";
import {
  decodeInfo,
  encodeInfo,
  encodeLabels,
  encodeWarning,
  tidyLabelNames,
  warningOf,
} from "../../../../services/adapter/messages";
import { bytesField, fieldsOf, ProtobufError, varintField } from "../../../../services/plumbing/protobuf";

describe("protobuf", () => {
  it("reads what it writes", () => {
    const field = fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.oneof(fc.maxSafeInteger(), fc.string()));
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const encode = ([number, value]: readonly [number, number | string]) =>
          typeof value === "string" ? bytesField(number, value) : varintField(number, value);
        const read = fieldsOf(Buffer.concat(fields.map(encode)));
        expect(
          read.map(({ number, value, bytes }, at) => [
            number,
            typeof fields[at]?.[1] === "string" ? bytes.toString() : value,
          ]),
        ).toStrictEqual(fields.map(([number, value]) => [number, value]));
      }),
    );
  });

  it("never reads beyond a message that was cut off", () => {
    const message = Buffer.concat([bytesField(1, "some text"), varintField(2, 123_456_789)]);
    for (let length = 1; length < message.length; length++) {
      if (length === 11) continue;
      expect(() => fieldsOf(message.subarray(0, length))).toThrow(ProtobufError);
    }
    expect(() => fieldsOf(Buffer.from([0x0b]))).toThrow("unknown wire type 3");
  });
});

describe("messages", () => {
  it("tells of one TSDB from the epoch to the end of time, with every API", () => {
    const info = encodeInfo({ cluster: "main", shard: "3" });
    expect(decodeInfo(info)).toStrictEqual([{ labels: { cluster: "main", shard: "3" }, minTime: 0, maxTime: 2 ** 63 }]);
    expect(fieldsOf(info).map(({ number }) => number)).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("sorts labels by their bytes, also those that look like numbers", () => {
    const names = (metric: Record<string, string>) =>
      fieldsOf(encodeLabels(metric)).map(({ bytes }) => fieldsOf(bytes)[0]?.bytes.toString());
    expect(names(JSON.parse('{"__name__":"x","_a":"","10":"","9":""}') as Record<string, string>)).toStrictEqual([
      "10",
      "9",
      "__name__",
      "_a",
    ]);
  });

  it("names each label once, and not the replica label", () => {
    const names = (list: readonly string[]) => Buffer.concat(list.map((name) => bytesField(1, name)));
    const answer = Buffer.concat([names(["a", "a", "r", "b"]), bytesField(2, "a warning")]);
    expect(tidyLabelNames("r", answer)).toStrictEqual(Buffer.concat([names(["a", "b"]), bytesField(2, "a warning")]));
  });

  it("finds warnings", () => {
    expect(warningOf(encodeWarning("careful"))).toBe("careful");
    expect(warningOf(bytesField(2, ""))).toBeUndefined();
  });
});

describe("gRPC framing", () => {
  async function read(chunks: readonly Buffer[], limit = 1000): Promise<readonly string[]> {
    const found: string[] = [];
    async function* stream() {
      for (const chunk of chunks) yield await Promise.resolve(chunk);
    }
    for await (const message of messagesOf(stream(), limit)) found.push(message.toString());
    return found;
  }

  it("finds the messages however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string()), fc.array(fc.nat(50)), async (texts, cuts) => {
        let rest = Buffer.concat(texts.map((text) => frame(Buffer.from(text))));
        const chunks: Buffer[] = [];
        for (const cut of cuts) {
          chunks.push(rest.subarray(0, cut + 1));
          rest = rest.subarray(cut + 1);
        }
        const all = [...chunks, rest].filter((chunk) => chunk.length > 0);
        expect(await read(all)).toStrictEqual(texts.map((text) => Buffer.from(text).toString()));
      }),
    );
  });

  it("refuses what is cut off, compressed or too long", async () => {
    const message = frame(Buffer.from("hello"));
    await expect(read([message.subarray(0, 7)])).rejects.toThrow("in the middle of a message");
    await expect(read([Buffer.concat([Buffer.from([1]), message.subarray(1)])])).rejects.toThrow(
      "switch compression off",
    );
    await expect(read([message], 4)).rejects.toThrow("message over 4 bytes");
  });

  it("reads and writes timeouts and messages", () => {
    expect(["5S", "100m", "2M", "1H", "7u", "x", undefined].map(timeoutOf)).toStrictEqual([
      5000,
      100,
      120_000,
      3_600_000,
      0.007,
      undefined,
      undefined,
    ]);
    expect([0.2, 1500, 2e8].map(timeoutHeader)).toStrictEqual(["1m", "1500m", "200000S"]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 500 }), (text) => {
        const encoded = encodeMessage(text);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeMessage(encoded)).toBe(text);
      }),
    );
    expect(decodeMessage("100%")).toBe("100%");
  });
});

describe("cutting", () => {
  it("makes parts that Prometheus takes, and never an empty one", () => {
    const size = fc.integer({ min: 1, max: 1_000_000 });
    fc.assert(
      fc.property(size, fc.option(size, { nil: undefined }), size, (steps, series, maxSamples) => {
        const part = stepsOfPart(steps, { peakPerStep: undefined }, { maxSamples, series });
        expect(part).toBeGreaterThan(0);
        expect(part).toBeLessThanOrEqual(Math.min(11_000, steps));
        if (part > 1) expect(part * (series ?? 1)).toBeLessThanOrEqual(maxSamples / 2);
      }),
    );
  });

  it("asks for everything at once when it is known to fit, and counts steps as Prometheus does", () => {
    expect(stepsOfPart(5000, { peakPerStep: 10 }, { maxSamples: 50_000_000, series: 1_000_000 })).toBe(5000);
    expect([stepsOf(0, 100, 10), stepsOf(0, 99, 10), stepsOf(5, 5, 1), stepsOf(6, 5, 1)]).toStrictEqual([11, 10, 1, 0]);
  });
});

describe("gaps", () => {
  function windows(facts: Readonly<Record<string, readonly (readonly [number, number])[]>>): BatchWindows {
    return new Map(Object.entries(facts).map(([key, values]) => [key, new Map(values)]));
  }
  /** Windows of ten over batch numbers by their times. */
  function of(numbers: readonly number[]): BatchWindows {
    const ends = [...new Set(numbers.map((number) => Math.ceil(number / 10) * 10))];
    const fact = (count: (within: readonly number[]) => number) =>
      ends.map((end) => [end, count(numbers.filter((number) => number <= end && number > end - 10))] as const);
    const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
    return windows({
      "count|{}": fact((list) => list.length),
      "sum|{}": fact(sum),
      "min|{}": fact((list) => Math.min(...list)),
      "max|{}": fact((list) => Math.max(...list)),
      "stdvar|{}": fact((list) => sum(list.map((one) => (one - sum(list) / list.length) ** 2)) / list.length),
    });
  }

  it("finds a gap wherever one replica lacks what the other has, and none where both have the same", () => {
    const some = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 60 });
    fc.assert(
      fc.property(some, some, (one, other) => {
        const sorted = [one, other].map((list) => [...list].sort((a, b) => a - b)) as [number[], number[]];
        const gaps = compareBatches(of(sorted[0]), of(sorted[1]), 10);
        const lacks = (mine: readonly number[], theirs: readonly number[]) =>
          theirs.filter((number) => !mine.includes(number));
        const covered = (number: number) => (gap: { from: number; to: number }) =>
          gap.from < number && number <= gap.to;
        for (const number of lacks(sorted[0], sorted[1])) expect(gaps[0].some(covered(number))).toBe(true);
        for (const number of lacks(sorted[1], sorted[0])) expect(gaps[1].some(covered(number))).toBe(true);
        if (lacks(sorted[0], sorted[1]).length + lacks(sorted[1], sorted[0]).length === 0) {
          expect(gaps).toStrictEqual([[], []]);
        }
      }),
    );
  });

  it("does not doubt the replica that has every number when the other one lacks some", () => {
    const all = Array.from({ length: 40 }, (_, at) => at + 1);
    const some = all.filter((number) => number < 13 || number > 17);
    expect(compareBatches(of(all), of(some), 10)).toStrictEqual([[], [{ from: 10, to: 20 }]]);
  });

  it("does not blame a replica for what it has not been scraped for yet, and does for what a later number shows", () => {
    const all = Array.from({ length: 60 }, (_, at) => at + 1);
    const behind = all.filter((number) => number <= 35);
    expect(compareBatches(of(all), of(behind), 10, [0, 0])).toStrictEqual([[], []]);
    expect(compareBatches(of(all), of(behind), 10, [0, 50])).toStrictEqual([[], [{ from: 30, to: 50 }]]);
    // It lacks 15, and has 35.
    const lacking = behind.filter((number) => number !== 15);
    expect(compareBatches(of(lacking), of(all), 10, [0, 0])).toStrictEqual([[{ from: 10, to: 20 }], []]);
    // A number that nobody took makes nobody doubt the replica that is ahead.
    const without45 = all.filter((number) => number !== 45);
    const half = without45.filter((number) => number <= 42);
    expect(compareBatches(of(without45), of(half), 10, [60, 0])).toStrictEqual([[], []]);
  });

  it("never blames a replica whose scrapes lost nothing, and always one that lost something a while ago", () => {
    const scraped = fc.integer({ min: 50, max: 100 });
    fc.assert(
      fc.property(scraped, scraped, fc.integer({ min: 1, max: 29 }), (one, other, lost) => {
        const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);
        expect(compareBatches(of(upTo(one)), of(upTo(other)), 10, [0, 0])).toStrictEqual([[], []]);
        const [mine, theirs] = compareBatches(of(upTo(one).filter((n) => n !== lost)), of(upTo(other)), 10, [0, 0]);
        expect(mine.some(({ from, to }) => from < lost && lost <= to)).toBe(true);
        expect(theirs).toStrictEqual([]);
      }),
    );
  });

  it("asks for some facts of each window, of this shard's batches only", () => {
    expect(batchQuery("main", "0", 60)).toContain(
      'label_replace(sum_over_time(pipeline_push_batch{cluster="main",shard="0"}[60s]),"fact","sum","","")',
    );
  });

  it("joins intervals that touch", () => {
    expect(
      merged([
        { from: 5, to: 7 },
        { from: 0, to: 2 },
        { from: 2, to: 4 },
        { from: 6, to: 6 },
      ]),
    ).toStrictEqual([
      { from: 0, to: 4 },
      { from: 5, to: 7 },
    ]);
  });
});
