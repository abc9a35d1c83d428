import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FailedShard } from "../../../../model/placement-table";
import { failedShards, failureTtl } from "../../../../services/placement/failures";

const scope = (shards: number, now: number, isWhole = true) => ({
  shards: Array.from({ length: shards }, (_, index) => index),
  now,
  lookback: 300_000,
  isWhole,
});
const down = (failures: readonly FailedShard[], now: number) =>
  failures.filter(({ until }) => until > now).map(({ shard }) => shard);

describe("failed shards", () => {
  it("one exporter that can't reach a shard is enough, until it can again", () => {
    const first = failedShards([], [[2], []], scope(4, 1_000));
    expect(first).toStrictEqual([{ shard: 2, from: 1_000, until: 1_000 + failureTtl }]);
    expect(failedShards(first, [[2], []], scope(4, 2_000))).toBe(first);
    const later = failedShards(first, [[2], []], scope(4, 7_000));
    expect(later).toStrictEqual([{ shard: 2, from: 1_000, until: 7_000 + failureTtl }]);
    expect(failedShards(later, [[], []], scope(4, 8_000))).toStrictEqual([{ shard: 2, from: 1_000, until: 8_000 }]);
  });

  it("ends by itself when nobody repeats it, and is forgotten after a lookback", () => {
    const first = failedShards([], [[0]], scope(2, 0));
    expect(down(first, failureTtl)).toStrictEqual([]);
    expect(failedShards(first, [[1]], scope(2, 400_000))).toStrictEqual([
      { shard: 1, from: 400_000, until: 400_000 + failureTtl },
    ]);
  });

  it("goes on for its time while an exporter does not answer: that one may have reported it", () => {
    const first = failedShards([], [[2], []], scope(4, 1_000));
    expect(failedShards(first, [[]], scope(4, 2_000, false))).toBe(first);
    expect(failedShards(first, [[], []], scope(4, 3_000))).toStrictEqual([{ shard: 2, from: 1_000, until: 3_000 }]);
    expect(down(first, 1_000 + failureTtl)).toStrictEqual([]);
  });

  it("an exporter that can't reach most shards is cut off itself, unless most say the same", () => {
    expect(failedShards([], [[0, 1, 2], [], []], scope(4, 0))).toStrictEqual([]);
    expect(down(failedShards([], [[0, 1, 2], [0, 1, 2], []], scope(4, 0)), 0)).toStrictEqual([0, 1, 2]);
  });

  it("all exporters pass over the same shards, whatever was reported, and the list stays short", () => {
    const report = fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.array(report, { maxLength: 3 }), { maxLength: 60 }), (rounds) => {
        let failures: readonly FailedShard[] = [];
        rounds.forEach((reports, round) => {
          const now = round * 1_000;
          failures = failedShards(failures, reports, scope(4, now));
          const reported = reports.filter((each) => each.length <= 2).flat();
          for (const shard of reported) expect(down(failures, now)).toContain(shard);
          for (const shard of down(failures, now)) expect(reports.flat()).toContain(shard);
          expect(failures.length).toBeLessThanOrEqual(4 * 8);
        });
      }),
      { numRuns: 200 },
    );
  });
});
