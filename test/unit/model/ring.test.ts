import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankShards, ringScore, ringVersion, scoreValue, shardOrder, type RingShard } from "../../../model/ring";

function shards(count: number): readonly RingShard[] {
  return Array.from({ length: count }, (_, index) => ({ index, name: `shard-${String(index)}` }));
}

function owner(count: number, key: string): number | undefined {
  return rankShards(shards(count), key)[0]?.index;
}

const key = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });

describe("ringScore", () => {
  it("is the first 8 bytes of SHA-256(name, zero byte, key)", () => {
    const digest = createHash("sha256").update("shard-2\0gateway-1").digest("hex");
    expect(scoreValue(ringScore("shard-2", "gateway-1"))).toBe(BigInt(`0x${digest.slice(0, 16)}`));
  });

  it("takes text as its UTF-8 bytes", () => {
    expect(ringScore("shard-0", "網關")).toStrictEqual(ringScore("shard-0", Buffer.from("網關", "utf8")));
  });
});

describe("rankShards", () => {
  it("names every shard once and does not depend on the order of the table", () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 20 }), (text, count) => {
        const order = rankShards(shards(count), text).map(({ index }) => index);
        expect([...order].sort((left, right) => left - right)).toStrictEqual(shards(count).map(({ index }) => index));
        expect(rankShards([...shards(count)].reverse(), text).map(({ index }) => index)).toStrictEqual(order);
      }),
    );
  });

  it("breaks ties by index", () => {
    const same = [3, 1, 2].map((index) => ({ index, name: "same" }));
    expect(rankShards(same, "x").map(({ index }) => index)).toStrictEqual([1, 2, 3]);
  });

  it("moves keys only to a shard that is added", () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 16 }), (text, count) => {
        expect([owner(count, text), count]).toContain(owner(count + 1, text));
      }),
      { numRuns: 1000 },
    );
  });

  it("moves about 1 in N + 1 keys when a shard is added", () => {
    const keys = Array.from({ length: 4000 }, (_, at) => `gateway-${String(at)}`);
    for (const count of [1, 2, 3, 8]) {
      const moved = keys.filter((text) => owner(count, text) !== owner(count + 1, text)).length / keys.length;
      expect(moved).toBeGreaterThan(0.85 / (count + 1));
      expect(moved).toBeLessThan(1.15 / (count + 1));
    }
  });

  it("keeps the order of the others when one is taken away: a failed shard's keys go to their next choice", () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 2, max: 12 }), fc.nat(), (text, count, gone) => {
        const order = rankShards(shards(count), text).map(({ index }) => index);
        const left = shards(count).filter(({ index }) => index !== gone % count);
        expect(rankShards(left, text).map(({ index }) => index)).toStrictEqual(
          order.filter((index) => index !== gone % count),
        );
      }),
    );
  });

  it("spreads keys evenly: each of 8 shards gets an eighth of 8000 keys, within a tenth", () => {
    const counts = new Map<number | undefined, number>();
    for (let at = 0; at < 8000; at += 1) {
      const index = owner(8, `gateway-${String(at)}`);
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(100);
  });
});

describe("shardOrder", () => {
  it.each([undefined, ""])("puts the home shard first without a key (%j), then the order of the empty key", (none) => {
    const ring = { homeShard: 2, shards: shards(5) };
    const order = shardOrder(ring, none).map(({ index }) => index);
    const empty = rankShards(ring.shards, "").map(({ index }) => index);
    expect(order).toStrictEqual([2, ...empty.filter((index) => index !== 2)]);
  });

  it("ranks by score with a key, home shard or not", () => {
    const ring = { homeShard: 2, shards: shards(5) };
    expect(shardOrder(ring, "g")).toStrictEqual(rankShards(ring.shards, "g"));
  });

  it("says so when the home shard is not in the ring", () => {
    expect(() => shardOrder({ homeShard: 5, shards: shards(2) }, undefined)).toThrow(
      "homeShard: 5: is not a shard of the ring; name one that is",
    );
  });
});

describe("ringVersion", () => {
  const table = { shardLabel: "gatewayID", homeShard: 0, shards: shards(3) };

  it("does not depend on the order of the table", () => {
    expect(ringVersion({ ...table, shards: [...table.shards].reverse() })).toBe(ringVersion(table));
  });

  it("changes with whatever decides routing", () => {
    const versions = [
      table,
      { ...table, shardLabel: "other" },
      { ...table, homeShard: 1 },
      { ...table, shards: shards(4) },
      { ...table, shards: [...shards(2), { index: 2, name: "renamed" }] },
    ].map(ringVersion);
    expect(new Set(versions).size).toBe(5);
    for (const version of versions) expect(version).toMatch(/^[0-9a-f]{16}$/);
  });
});
