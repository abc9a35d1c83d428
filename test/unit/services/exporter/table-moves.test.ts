import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlacementTable } from "../../../../model/placement-table";
import { shardOrder } from "../../../../model/ring";
import { TableMoves } from "../../../../services/exporter/table-moves";
import { shardsOf } from "../../model/placement-fleets";
import { lookback, tableOf } from "../placement/tables";
import { exporterConfigOf } from "./exporter-config-of";

const config = exporterConfigOf(Array.from({ length: 4 }, (_, at) => [`http://hub-${String(at)}:1`]));
const now = 1_000_000;

const holders = (changes: Partial<PlacementTable>, key: string, owner: number, at = now) =>
  new TableMoves(config, () => tableOf(4, changes)).holders(key, owner, at);

describe("who held a key", () => {
  it("nobody without a table, and nobody else where nothing moved", () => {
    expect(new TableMoves(config, () => undefined).holders("a", 0, now)).toStrictEqual([]);
    expect(holders({}, "a", 0)).toStrictEqual([]);
  });

  it("its shard before a move, from the move on for a lookback", () => {
    const moved = [{ key: "a", shards: [2], at: now }];
    expect(holders({ moved }, "a", 1, now - 1)).toStrictEqual([]);
    expect(holders({ moved }, "a", 1)).toStrictEqual([2]);
    expect(holders({ moved }, "a", 2)).toStrictEqual([]);
    expect(holders({ moved }, "b", 1)).toStrictEqual([]);
    expect(holders({ moved }, "a", 1, now + lookback - 1)).toStrictEqual([2]);
    expect(holders({ moved }, "a", 1, now + lookback)).toStrictEqual([]);
  });

  it("its shard in the ring before, as long as that may be seen; a shard that left the ring is not told", () => {
    const keys = Array.from({ length: 200 }, (_, at) => `g${String(at)}`);
    const before = { homeShard: 0, shards: shardsOf(3), pins: new Map(), until: now };
    for (const key of keys) {
      const [old, owner] = [shardOrder(before, key)[0]?.index, shardOrder(config, key)[0]?.index ?? -1];
      expect(holders({ previous: [before] }, key, owner)).toStrictEqual(old === owner ? [] : [old]);
      expect(holders({ previous: [before] }, key, owner, now + lookback)).toStrictEqual([]);
    }
    const smaller = new TableMoves(exporterConfigOf([["http://hub-0:1"]]), () => tableOf(1, { previous: [before] }));
    for (const key of keys) expect(smaller.holders(key, 0, now)).toStrictEqual([]);
  });

  it("the shards that stood in for a failed one, after its return; and the failed one while it is down", () => {
    const key = "gateway-1";
    const order = shardOrder(config, key).map(({ index }) => index);
    const [first = -1, second = -1, third = -1] = order;
    const failed = [
      { shard: first, from: now - 60_000, until: now - 10_000 },
      { shard: second, from: now - 30_000, until: now - 20_000 },
    ];
    expect([...holders({ failed }, key, first)].sort()).toStrictEqual([second, third].sort());
    expect([...holders({ failed }, key, second, now - 50_000)]).toStrictEqual([first]);
    expect(holders({ failed }, key, first, now + lookback)).toStrictEqual([]);
  });

  it("never the owner, never a shard twice, and every shard that took the key by the table", () => {
    const failure = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 1, max: 99 }),
    );
    fc.assert(
      fc.property(
        fc.array(failure, { maxLength: 6 }),
        fc.string(),
        fc.integer({ min: 0, max: 400 }),
        (list, key, ago) => {
          const failed = list.map(([shard, from, length]) => ({
            shard,
            from: now - from * 1_000,
            until: now - (from - length) * 1_000,
          }));
          const order = shardOrder(config, key).map(({ index }) => index);
          const takerAt = (time: number): number =>
            order.find(
              (index) => !failed.some((each) => each.shard === index && each.from <= time && time < each.until),
            ) ??
            order[0] ??
            -1;
          const owner = takerAt(now);
          const found = holders({ failed }, key, owner);
          expect(new Set(found).size).toBe(found.length);
          expect(found).not.toContain(owner);
          const taker = takerAt(now - ago * 1_000);
          if (taker !== owner && ago * 1_000 < lookback) expect(found).toContain(taker);
        },
      ),
      { numRuns: 300 },
    );
  });
});
