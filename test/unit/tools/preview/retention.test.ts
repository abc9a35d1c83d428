import { describe, expect, test } from "vitest";
import { describeRetention, shorterRetentions } from "../../../../tools/preview/retention";

const map = (time: string) => ({
  data: { "prometheus.yaml": `storage:\n  tsdb:\n    retention:\n      time: ${time}\n` },
});
const compactor = (raw: string, hourly: string) => ({
  spec: {
    template: {
      spec: {
        containers: [
          { args: ["compact", `--retention.resolution-raw=${raw}`, `--retention.resolution-1h=${hourly}`, "--wait"] },
        ],
      },
    },
  },
});

const said = (before: unknown, after: unknown, localIsInBucket = false): readonly string[] =>
  shorterRetentions(before, after).map((each) => describeRetention(each, localIsInBucket));

describe("a shorter retention is told", () => {
  test("on local disks: deleted, or answered from the bucket", () => {
    const deleted = "local retention 30d -> 2d: what is older than 2d is deleted";
    const kept = "local retention 30d -> 2d: what is older than 2d is in the bucket, and is answered from there";
    expect(said(map("30d"), map("2d"))).toStrictEqual([deleted]);
    expect(said(map("30d"), map("2d"), true)).toStrictEqual([kept]);
  });

  test("in the bucket, where 0 is for ever", () => {
    expect(said(compactor("0s", "400d"), compactor("180d", "365d"), true)).toStrictEqual([
      "retention of raw blocks in the bucket for ever -> 180d: what is older than 180d is deleted",
      "retention of 1h blocks in the bucket 400d -> 365d: what is older than 365d is deleted",
    ]);
    expect(said(compactor("180d", "365d"), compactor("0s", "400d"))).toStrictEqual([]);
  });

  test("never of what names none", () => {
    expect(said({ data: { file: "retention: {" } }, map("2d"))).toStrictEqual([]);
    expect(said({ spec: { template: { spec: { containers: [{}] } } } }, compactor("1d", "1d"))).toStrictEqual([]);
    expect(said(undefined, undefined)).toStrictEqual([]);
  });
});
