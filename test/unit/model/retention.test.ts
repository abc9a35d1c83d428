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
  fiveMinutes: undefined,
  oneHour: undefined,
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
          "downsampling.disable": true,
          "retention.resolution-1h": "30d",
          "retention.resolution-5m": "30d",
          "retention.resolution-raw": "30d",
          "wait-interval": "300s",
        },
        storeGateway: { "ignore-deletion-marks-delay": "1d", "sync-block-duration": "300s" },
        local: "2d",
      },
    });
  });

  test.each([
    ["neither", { raw: 30 * DAY }, true, ["30d", "30d", "30d"]],
    ["neither, for ever", { raw: 0 }, true, ["0ms", "0ms", "0ms"]],
    ["neither, for less than downsampling takes", { local: 6 * HOUR, raw: 6 * HOUR }, true, ["6h", "6h", "6h"]],
    ["5m", { fiveMinutes: 20 * DAY }, false, ["30d", "20d", "30d"]],
    ["5m of raw for ever", { raw: 0, fiveMinutes: 20 * DAY }, false, ["0ms", "20d", "0ms"]],
    ["1h", { oneHour: 20 * DAY }, false, ["30d", "30d", "20d"]],
    ["1h of raw for ever", { raw: 0, oneHour: 20 * DAY }, false, ["0ms", "0ms", "20d"]],
    ["both", { fiveMinutes: 30 * DAY, oneHour: 25 * DAY }, false, ["30d", "30d", "25d"]],
  ])("downsampled blocks are made for who asks for them, and none outlives raw: %s", (_what, change, isOff, kept) => {
    const planned = planRetention({ ...GOOD, ...change });
    const compactor = "plan" in planned ? planned.plan.compactor : undefined;
    expect(compactor?.["downsampling.disable"] === true).toBe(isOff);
    const levels = ["raw", "5m", "1h"] as const;
    expect(levels.map((level) => compactor?.[`retention.resolution-${level}`])).toStrictEqual(kept);
  });

  test.each([
    ["three blocks are kept", { local: 6 * HOUR }, []],
    ["fewer are not", { local: 6 * HOUR - 1 }, ["retention.local"]],
    ["local covers what may come late", { local: 7 * HOUR, outOfOrderWindow: 8 * HOUR }, ["retention.local"]],
    ["local only shrinks", { sharded: DAY }, ["retention.local"]],
    ["raw as short as local", { local: DAY, raw: DAY }, []],
    ["raw for ever", { raw: 0 }, []],
    ["raw shorter than local", { local: 3 * DAY, raw: 2 * DAY }, ["retention.raw"]],
    ["5m at the age of downsampling", { fiveMinutes: 10 * DAY }, ["retention.5m"]],
    ["5m just over it", { fiveMinutes: 10 * DAY + 1 }, []],
    ["5m as long as raw", { fiveMinutes: 30 * DAY }, []],
    ["5m longer than raw", { fiveMinutes: 30 * DAY + 1 }, ["retention.5m"]],
    ["5m for ever, and raw not", { fiveMinutes: 0 }, ["retention.5m"]],
    ["5m and raw for ever", { raw: 0, fiveMinutes: 0 }, []],
    ["5m for long, raw for ever", { raw: 0, fiveMinutes: 3_650 * DAY }, []],
    ["1h has no lower limit", { oneHour: 1 }, []],
    ["1h as long as raw", { oneHour: 30 * DAY }, []],
    ["1h longer than raw", { oneHour: 30 * DAY + 1 }, ["retention.1h"]],
    ["1h for ever, and raw not", { oneHour: 0 }, ["retention.1h"]],
    ["1h and raw for ever", { raw: 0, oneHour: 0 }, []],
    ["both longer than raw", { fiveMinutes: 180 * DAY, oneHour: 0 }, ["retention.5m", "retention.1h"]],
    ["raw too short for 1h", { raw: 10 * DAY, oneHour: DAY }, ["retention.1h"]],
    ["raw too short for 5m", { raw: 10 * DAY, fiveMinutes: 10 * DAY }, ["retention.5m", "retention.5m"]],
    ["raw just long enough", { raw: 10 * DAY + 1, fiveMinutes: 10 * DAY + 1, oneHour: DAY }, []],
    ["four looks at the bucket", { deleteDelay: 4 * HOUR, syncInterval: HOUR }, []],
    ["three looks", { deleteDelay: 3 * HOUR, syncInterval: HOUR }, ["objectStorage.deleteDelay"]],
  ])("%s", (_what, change, refused) => {
    expect(pathsOf({ ...GOOD, ...change })).toStrictEqual(refused);
  });

  test("every refusal names both keys", () => {
    const planned = planRetention(
      {
        ...GOOD,
        local: HOUR,
        sharded: HOUR / 2,
        raw: 1,
        fiveMinutes: 2,
        oneHour: 1,
        outOfOrderWindow: 2 * HOUR,
        deleteDelay: 1,
      },
      key,
    );
    const problems = "problems" in planned ? planned.problems : [];
    const named = problems.map(({ path, rule }) => [path, /ns:([\w.]+)/.exec(rule)?.[1]]);
    expect(named).toStrictEqual([
      ["retention.local", "objectStorage"],
      ["retention.local", "outOfOrderWindow"],
      ["retention.local", "retention.sharded"],
      ["retention.raw", "retention.local"],
      ["retention.5m", "retention.raw"],
      ["retention.5m", "retention.raw"],
      ["retention.1h", "retention.raw"],
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
      fiveMinutes: fc.option(fc.oneof(fc.constant(0), time), { nil: undefined }),
      oneHour: fc.option(fc.oneof(fc.constant(0), time), { nil: undefined }),
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
        const kept = (level: "raw" | "5m" | "1h") =>
          milliseconds(compactor[`retention.resolution-${level}`]) || Infinity;
        expect(kept("raw")).toBeGreaterThanOrEqual(milliseconds(local));
        expect(kept("5m")).toBeLessThanOrEqual(kept("raw"));
        expect(kept("1h")).toBeLessThanOrEqual(kept("raw"));
        if (compactor["downsampling.disable"] === true) return;
        // What the Compactor asks for at its start, or more.
        expect(kept("raw")).toBeGreaterThan(40 * HOUR);
        expect(kept("5m")).toBeGreaterThan(10 * DAY);
      }),
      { numRuns: 2_000 },
    );
  });
});
