import { createHash } from "node:crypto";
import { ringScore, scoreValue, shardOrder, type RingShard } from "../model/ring";
import { planPlacement, type PlacedRing } from "../model/placement";

/** What a scheme routes: series of each key. The empty key stands for the series without one. */
export type Series = ReadonlyMap<string, number>;

/** A ring of some size, ready for look-ups. */
export interface Placed {
  /** Shard of a key; `failed` is passed over. */
  readonly owner: (key: string, failed?: number) => number;
}

export interface Scheme {
  readonly name: string;
  /** `before`: the ring of the size before, for schemes that remember. */
  readonly make: (count: number, series: Series, before: Placed | undefined) => Placed;
}

function hash64(text: string): bigint {
  return createHash("sha256").update(text).digest().readBigUInt64BE(0);
}

export function shardsOf(count: number): readonly RingShard[] {
  return Array.from({ length: count }, (_, index) => ({ index, name: `shard-${String(index)}` }));
}

/** The series without a key are on shard 0 in every scheme, on the next one when that fails. */
function withHome(count: number, owner: (key: string, failed?: number) => number): Placed {
  return { owner: (key, failed) => (key !== "" ? owner(key, failed) : failed === 0 ? 1 % count : 0) };
}

interface Point {
  readonly at: bigint;
  readonly shard: number;
}

function circle(count: number, virtualNodes: number): readonly Point[] {
  return shardsOf(count)
    .flatMap(({ name, index }) =>
      Array.from({ length: virtualNodes }, (_, node) => ({ at: hash64(`${name}-${String(node)}`), shard: index })),
    )
    .sort((left, right) => (left.at < right.at ? -1 : 1));
}

/** Position of the first point at or after `at`, around the circle. */
function after(points: readonly Point[], at: bigint): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle]?.at ?? 0n) < at) low = middle + 1;
    else high = middle;
  }
  return low % points.length;
}

/** First shard on the way around the circle that `takes` the key. */
function walk(points: readonly Point[], key: string, takes: (shard: number) => boolean): number {
  const start = after(points, hash64(key));
  for (let step = 0; step < points.length; step += 1) {
    const shard = points[(start + step) % points.length]?.shard ?? 0;
    if (takes(shard)) return shard;
  }
  return 0;
}

function ring(virtualNodes: number): Scheme {
  return {
    name: `ring, ${String(virtualNodes)} virtual ${virtualNodes === 1 ? "node" : "nodes"}`,
    make: (count) => {
      const points = circle(count, virtualNodes);
      return withHome(count, (key, failed) => walk(points, key, (shard) => shard !== failed));
    },
  };
}

/** Consistent hashing with bounded loads: a key goes on around the circle while a shard holds the mean plus `slack`. */
function boundedRing(virtualNodes: number, slack: number): Scheme {
  return {
    name: `ring, ${String(virtualNodes)} virtual nodes, at most mean + ${slack.toLocaleString("en")}`,
    make: (count, series) => {
      const points = circle(count, virtualNodes);
      const total = [...series.values()].reduce((sum, each) => sum + each, 0);
      const limit = total / count + slack;
      const loads = shardsOf(count).map(({ index }) => (index === 0 ? (series.get("") ?? 0) : 0));
      const owners = new Map<string, number>();
      for (const key of [...series.keys()].filter((each) => each !== "").sort()) {
        const weight = series.get(key) ?? 0;
        const shard = walk(points, key, (each) => (loads[each] ?? 0) + weight <= limit);
        loads[shard] = (loads[shard] ?? 0) + weight;
        owners.set(key, shard);
      }
      return withHome(count, (key, failed) => {
        const owner = owners.get(key) ?? 0;
        return owner === failed ? walk(points, key, (shard) => shard !== failed) : owner;
      });
    },
  };
}

/** Lamping and Veach, 2014. A failed shard's keys are hashed again over the others. */
function jumped(key: bigint, count: number): number {
  let [seed, bucket, next] = [key, -1, 0];
  while (next < count) {
    bucket = next;
    seed = BigInt.asUintN(64, seed * 2862933555777941757n + 1n);
    next = Math.floor(((bucket + 1) * 2 ** 31) / (Number(seed >> 33n) + 1));
  }
  return bucket;
}

const jump: Scheme = {
  name: "jump",
  make: (count) =>
    withHome(count, (key, failed) => {
      const owner = jumped(hash64(key), count);
      if (owner !== failed) return owner;
      const other = jumped(hash64(`${key}\u0000again`), count - 1);
      return other >= failed ? other + 1 : other;
    }),
};

const rendezvous: Scheme = {
  name: "rendezvous",
  make: (count) => {
    const shards = shardsOf(count);
    return withHome(count, (key, failed) => {
      let [best, bestScore] = [0, -1n];
      for (const { index, name } of shards) {
        if (index === failed) continue;
        const score = scoreValue(ringScore(name, key));
        if (score > bestScore) [best, bestScore] = [index, score];
      }
      return best;
    });
  },
};

/** Rings with pins know them, so that the next size can start from them. */
interface PinnedRing extends Placed {
  readonly ring: PlacedRing;
}

function isPinned(placed: Placed | undefined): placed is PinnedRing {
  return placed !== undefined && "ring" in placed;
}

/** The scheme of this project: rendezvous hashing with pins, each size planned upon the one before. */
const placement: Scheme = {
  name: "rendezvous with placement (ours)",
  make: (count, series, before): PinnedRing => {
    const shards = shardsOf(count);
    const { pins } = planPlacement({
      homeShard: 0,
      shards,
      series,
      ...(isPinned(before) ? { previous: before.ring } : {}),
    });
    return {
      ring: { shards, pins },
      owner: (key, failed) =>
        shardOrder({ homeShard: 0, shards }, key, pins.get(key)).find(({ index }) => index !== failed)?.index ?? 0,
    };
  },
};

/** In the order of the report; the last one is ours. */
export const schemes: readonly Scheme[] = [
  ring(1),
  ring(160),
  ring(1_000),
  boundedRing(100, 1_000),
  jump,
  rendezvous,
  placement,
];
