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

const holders = (changes: Partial<PlacementTable>, key: string, owner: number, at = now, oldest = at) =>
  new TableMoves(config, () => tableOf(4, changes)).holders(key, owner, oldest, at);

describe("who held a key", () => {
  it("nobody without a table, and nobody else where nothing moved", () => {
    expect(new TableMoves(config, () => undefined).holders("a", 0, now, now)).toStrictEqual([]);
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

  it("its shard before a move, for samples from before it that come after it", () => {
    const moved = [{ key: "a", shards: [2], at: now }];
    expect(holders({ moved }, "a", 1, now + 1_000, now - 14_000)).toStrictEqual([2]);
    expect(holders({ moved }, "a", 1, now - 1, now - 14_000)).toStrictEqual([]);
    // A history whose first part may still be seen where the key was.
    expect(holders({ moved }, "a", 1, now + 2 * lookback - 1, now - 60_000)).toStrictEqual([2]);
  });

  it("a failed shard, for samples from before it failed", () => {
    const key = "gateway-1";
    const [first = -1, second = -1] = shardOrder(config, key).map(({ index }) => index);
    const failed = [{ shard: first, from: now, until: now + 10_000 }];
    expect(holders({ failed }, key, second, now + 1_000, now - 14_000)).toStrictEqual([first]);
    expect(holders({ failed }, key, first, now - 1, now - 14_000)).toStrictEqual([]);
  });

  it("its shard in the ring before, as long as that may be seen", () => {
    const keys = Array.from({ length: 200 }, (_, at) => `g${String(at)}`);
    const before = { homeShard: 0, shards: shardsOf(3), pins: new Map(), until: now };
    for (const key of keys) {
      const [old, owner] = [shardOrder(before, key)[0]?.index, shardOrder(config, key)[0]?.index ?? -1];
      expect(holders({ previous: [before] }, key, owner)).toStrictEqual(old === owner ? [] : [old]);
      expect(holders({ previous: [before] }, key, owner, now + lookback)).toStrictEqual([]);
    }
  });

  it("a shard that left the ring, at its position after the ring's, as long as it is deployed", () => {
    const before = { homeShard: 0, shards: shardsOf(5), pins: new Map([["pinned", [4]]]), until: now };
    const table = () => tableOf(2, { previous: [before], moved: [{ key: "moved", shards: [4], at: now }] });
    const ring = [["http://hub-0:1"], ["http://hub-1:1"]];
    const retired = [4, 2].map((index) => ({
      index,
      name: `shard-${String(index)}`,
      replicas: [{ replica: "a" as const, prometheusUrl: `http://prometheus-${String(index)}:1` }],
    }));
    const smaller = exporterConfigOf(ring, { retired });
    const moves = new TableMoves(smaller, table);
    const positions = [0, 1, 3, undefined, 2];
    for (const key of Array.from({ length: 200 }, (_, at) => `g${String(at)}`)) {
      const position = positions[shardOrder(before, key)[0]?.index ?? -1];
      const owner = shardOrder(smaller, key)[0]?.index ?? -1;
      const expected = position === undefined || position === owner ? [] : [position];
      expect(moves.holders(key, owner, now, now)).toStrictEqual(expected);
      expect(moves.holders(key, owner, now + lookback, now + lookback)).toStrictEqual([]);
      const found = new TableMoves(exporterConfigOf(ring), table).holders(key, owner, now, now);
      expect(found).toStrictEqual(expected.filter((each) => each < 2));
    }
    expect(moves.holders("pinned", 0, now, now)).toStrictEqual([2]);
    expect(moves.holders("moved", 0, now, now)).toContain(2);
  });

  it("the shards that stood in for a failed one in the ring before", () => {
    const before = { homeShard: 0, shards: shardsOf(5), pins: new Map(), until: now };
    const retired = [
      { index: 4, name: "shard-4", replicas: [{ replica: "a" as const, prometheusUrl: "http://prometheus-4:1" }] },
    ];
    const smaller = exporterConfigOf(
      Array.from({ length: 4 }, (_, at) => [`http://hub-${String(at)}:1`]),
      { retired },
    );
    const key = Array.from({ length: 200 }, (_, at) => `g${String(at)}`).find(
      (each) => shardOrder(before, each)[1]?.index === 4,
    );
    const [first = -1] = shardOrder(before, key).map(({ index }) => index);
    const holdersAt = (from: number, until: number) =>
      new TableMoves(smaller, () =>
        tableOf(4, { previous: [before], failed: [{ shard: first, from, until }] }),
      ).holders(key ?? "", first, now + 60_000, now + 60_000);
    expect(holdersAt(now - 30_000, now - 20_000)).toContain(4);
    // In this ring another one stood in.
    expect(holdersAt(now + 20_000, now + 30_000)).not.toContain(4);
    expect(holdersAt(now + 20_000, now + 30_000)).toHaveLength(1);
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
