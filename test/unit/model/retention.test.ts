import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { milliseconds } from "../../../model/durations";
import { planRetention, type StorageTimes } from "../../../model/retention";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const GOOD: StorageTimes = {
  local: 2 * DAY,
  sharded: 15 * DAY,
  raw: 30 * DAY,
  fiveMinutes: 180 * DAY,
  oneHour: 0,
  deleteDelay: 48 * HOUR,
  syncInterval: HOUR / 12,
  outOfOrderWindow: HOUR,
};

const key = (path: string): string => `ns:${path}`;

function pathsOf(times: StorageTimes): readonly string[] {
  const planned = planRetention(times, key);
  return "problems" in planned ? planned.problems.map(({ path }) => path) : [];
}

describe("retention and delays", () => {
  test("all flags come from one plan", () => {
    expect(planRetention(GOOD)).toStrictEqual({
      plan: {
        compactor: {
          "delete-delay": "2d",
          "retention.resolution-1h": "0ms",
          "retention.resolution-5m": "180d",
          "retention.resolution-raw": "30d",
          "wait-interval": "300s",
        },
        storeGateway: { "ignore-deletion-marks-delay": "1d", "sync-block-duration": "300s" },
        local: "2d",
      },
    });
  });

  test.each([
    ["three blocks are kept", { local: 6 * HOUR }, []],
    ["fewer are not", { local: 6 * HOUR - 1 }, ["retention.local"]],
    ["local covers what may come late", { local: 7 * HOUR, outOfOrderWindow: 8 * HOUR }, ["retention.local"]],
    ["local only shrinks", { sharded: DAY }, ["retention.local"]],
    ["raw at the age of downsampling", { local: DAY, raw: 40 * HOUR }, ["retention.raw"]],
    ["raw just over it", { local: DAY, raw: 40 * HOUR + 1 }, []],
    ["raw for ever", { raw: 0 }, []],
    ["raw shorter than local", { local: 3 * DAY, raw: 2 * DAY }, ["retention.raw"]],
    ["5m at the age of downsampling", { fiveMinutes: 10 * DAY }, ["retention.5m"]],
    ["5m just over it", { fiveMinutes: 10 * DAY + 1 }, []],
    ["5m for ever", { fiveMinutes: 0 }, []],
    ["1h has no limit", { oneHour: 1 }, []],
    ["four looks at the bucket", { deleteDelay: 4 * HOUR, syncInterval: HOUR }, []],
    ["three looks", { deleteDelay: 3 * HOUR, syncInterval: HOUR }, ["objectStorage.deleteDelay"]],
  ])("%s", (_what, change, refused) => {
    expect(pathsOf({ ...GOOD, ...change })).toStrictEqual(refused);
  });

  test("every refusal names both keys", () => {
    const planned = planRetention(
      { ...GOOD, local: HOUR, sharded: HOUR / 2, raw: 1, fiveMinutes: 1, outOfOrderWindow: 2 * HOUR, deleteDelay: 1 },
      key,
    );
    const problems = "problems" in planned ? planned.problems : [];
    const named = problems.map(({ path, rule }) => [path, /ns:([\w.]+)/.exec(rule)?.[1]]);
    expect(named).toStrictEqual([
      ["retention.local", "objectStorage"],
      ["retention.local", "outOfOrderWindow"],
      ["retention.local", "retention.sharded"],
      ["retention.raw", "retention.5m"],
      ["retention.raw", "retention.local"],
      ["retention.5m", "retention.1h"],
      ["objectStorage.deleteDelay", "objectStorage.syncInterval"],
    ]);
  });

  test("whatever is accepted keeps every block until its successor is there, and readable on both sides", () => {
    const time = fc.integer({ min: 0, max: 400 * DAY });
    const times = fc.record({
      local: fc.integer({ min: HOUR, max: 30 * DAY }),
      sharded: time,
      raw: fc.oneof(fc.constant(0), time),
      fiveMinutes: fc.oneof(fc.constant(0), time),
      oneHour: fc.oneof(fc.constant(0), time),
      deleteDelay: fc.integer({ min: HOUR, max: 90 * DAY }).map((value) => value * 2),
      syncInterval: fc.integer({ min: 10_000, max: HOUR }),
      outOfOrderWindow: fc.integer({ min: HOUR / 2, max: 7 * DAY }),
    });
    fc.assert(
      fc.property(times, (each) => {
        const planned = planRetention(each);
        if ("problems" in planned) {
          expect(planned.problems.length).toBeGreaterThan(0);
          return;
        }
        const { compactor, storeGateway, local } = planned.plan;
        const ignored = milliseconds(storeGateway["ignore-deletion-marks-delay"]);
        expect(2 * ignored).toBe(milliseconds(compactor["delete-delay"]));
        expect(ignored).toBeGreaterThanOrEqual(2 * milliseconds(storeGateway["sync-block-duration"]));
        expect(milliseconds(local)).toBeGreaterThanOrEqual(6 * HOUR);
        expect(milliseconds(local)).toBeGreaterThanOrEqual(each.outOfOrderWindow);
        const raw = milliseconds(compactor["retention.resolution-raw"]);
        const fiveMinutes = milliseconds(compactor["retention.resolution-5m"]);
        expect(raw === 0 || (raw > 40 * HOUR && raw >= milliseconds(local))).toBe(true);
        expect(fiveMinutes === 0 || fiveMinutes > 10 * DAY).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
