import { describe, expect, test } from "vitest";
import { Stored } from "../../../../tools/check/stored";
import { arrivalsOf } from "../../../../tools/check/steps/moves";
import { formatSteps, wrongSteps } from "../../../../tools/check/steps/report";
import { checkSteps, stepsOf } from "../../../../tools/check/steps/run";
import { defaultFleet, makeFleet } from "../../../../tools/feed/fleet";
import type { LedgerRecord } from "../../../../tools/feed/ledger";
import { ShardsDouble } from "./shards-double";

const fleetOptions = { ...defaultFleet, gateways: 3, meanSeries: 70, unassignedSeries: 30 };
const lookback = 60_000;
const start = Date.parse("2026-01-01T00:00:00Z");
const pushTimes = Array.from({ length: 30 }, (_, round) => start + round * 3_000);
const moveAt = pushTimes[10] ?? start;
const backAt = pushTimes[20] ?? start;

/** What reaches the shards of gateway 0's push at a time; the others are always on shard 0. */
type Delivery = (shards: ShardsDouble, at: number) => void;

/** Feeds three gateways and the cloud every 3 s, and checks every 2 s. */
async function checked(deliver: Delivery, more: { churn?: number; records?: readonly LedgerRecord[] } = {}) {
  const options = { ...fleetOptions, churn: more.churn ?? 0, churnSeconds: 60 };
  const fleet = makeFleet(options, "r1");
  const shards = new ShardsDouble(fleet, lookback);
  const records: LedgerRecord[] = [...(more.records ?? [])];
  for (const t of pushTimes) {
    for (const { index } of fleet.gateways) {
      if (index === 0) deliver(shards, t);
      else shards.store(index, t, "0");
      const known = records.some((record) => record.g === index && record.t === t);
      if (!known) records.push({ kind: "ack", g: index, t, at: t + 50 });
    }
  }
  const header = {
    kind: "header",
    version: 1,
    run: "r1",
    startedAt: start,
    intervalSeconds: 3,
    fleet: options,
  } as const;
  const stored = new Stored({ header, records, tornBytes: 0, wholeBytes: 0 });
  const times = { interval: 2_000, lookback, window: 600_000, settledBefore: start + 3_600_000 };
  return checkSteps({ api: shards, stored, tolerance: 1e-9, ...times }, () => undefined);
}

const onShard0: Delivery = (shards, at) => shards.store(0, at, "0");

/** To shard 1 at the tenth push, with markers on shard 0 for every push from then on. */
const moved: Delivery = (shards, at) => {
  if (at < moveAt) {
    shards.store(0, at, "0");
    return;
  }
  shards.store(0, at, "1");
  shards.store(0, at, "0", "markers");
};

describe("every evaluation step", () => {
  test("agrees with a pipeline that keeps everything, with and without changing series", async () => {
    for (const churn of [0, 0.3]) {
      const report = await checked(onShard0, { churn });
      expect(wrongSteps(report)).toBe(0);
      expect(report.tolerated).toBe(0);
      expect(report.compared).toBe(stepsOf({ first: start, last: pushTimes.at(-1) ?? 0 }, 2_000).length);
      expect(report.increases.compared).toBeGreaterThan(100);
    }
  });

  test("agrees across a move with markers, and increase loses no more than one push interval's", async () => {
    const report = await checked(moved);
    expect(formatSteps(report).join("\n")).toContain(" 0 wrong, 0 differ");
    expect(wrongSteps(report)).toBe(0);
  });

  test("tolerates a marker that is 1 ms late, and not one that is a push late", async () => {
    const late = (milliseconds: number): Delivery => {
      return (shards, at) => {
        if (at < moveAt) shards.store(0, at, "0");
        else shards.store(0, at, "1");
        if (at >= moveAt) shards.store(0, at + milliseconds, "0", "markers");
      };
    };
    expect((await checked(late(1))).wrong).toBe(0);
    const report = await checked(late(6_000));
    expect(report.wrong).toBeGreaterThan(1);
    expect(report.causes).toEqual({ double: report.wrong });
    expect(report.first[0]).toMatchObject({ gateway: "gw-0001", from: moveAt, answered: { shards: ["0", "1"] } });
  });

  test("counts every step of a move without markers as double, until the lookback is over", async () => {
    const report = await checked((shards, at) => shards.store(0, at, at < moveAt ? "0" : "1"));
    // The old shard's last sample is from the push before.
    expect(report.wrong).toBe(Math.ceil((lookback - 3_000) / 2_000));
    expect(formatSteps(report).join("\n")).toMatch(/gw-0001: double: expected \d+ series.* on shard 0 and 1/);
  });

  test("notices pushes that were acknowledged and are not there", async () => {
    const report = await checked((shards, at) => {
      if (at < moveAt || at >= backAt) shards.store(0, at, "0");
    });
    expect(report.causes).toEqual({ missing: report.wrong });
    expect(report.first).toMatchObject([{ from: moveAt }]);
    expect(report.first[0]?.to).toBe(backAt - 2_000);
  });

  test("takes a push that was never acknowledged as stored or not, but not twice", async () => {
    const records = pushTimes
      .filter((t) => t >= moveAt && t < backAt)
      .map((t): LedgerRecord => ({ kind: "fail", g: 0, t, error: "503" }));
    const lost = await checked(
      (shards, at) => {
        if (at < moveAt || at >= backAt) shards.store(0, at, "0");
      },
      { records },
    );
    expect(wrongSteps(lost)).toBe(0);
    expect(wrongSteps(await checked(onShard0, { records }))).toBe(0);
    const twice = await checked(
      (shards, at) => {
        shards.store(0, at, "0");
        if (at >= moveAt && at < backAt) shards.store(0, at, "1");
      },
      { records },
    );
    expect(twice.causes["double"]).toBeGreaterThan(5);
  });

  test("leaves increase out where a shard got a key back, and says so", async () => {
    const report = await checked((shards, at) => {
      const away = at >= moveAt && at < backAt;
      shards.store(0, at, away ? "1" : "0");
      if (at >= moveAt) shards.store(0, at, away ? "0" : "1", "markers");
    });
    expect(wrongSteps(report)).toBe(0);
    expect(report.increases.note).toMatch(/got a key back/);
  });

  test("takes a warning for a wrong answer", async () => {
    const report = await checked((shards, at) => {
      shards.warnings = ["No StoreAPIs matched for this query", "PromQL info: metric might not be a counter"];
      shards.store(0, at, "0");
    });
    expect(wrongSteps(report)).toBe(1);
  });
});

test("a gateway arrives on a shard, and returns to one", () => {
  const steps = [["0"], [], ["0"], ["0", "1"], ["1"], ["0"]].map((shards, at) => ({ at, shards }));
  expect(arrivalsOf(steps)).toEqual([
    { at: 3, back: false },
    { at: 5, back: true },
  ]);
});
