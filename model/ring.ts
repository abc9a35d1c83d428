import { createHash } from "node:crypto";

/**
 * The ring: which shard a series belongs to, and which shard takes over when that one fails. Rendezvous hashing
 * (highest random weight): every writer that follows services/exporter/RING.md decides alike without talking to others.
 */

/** What the ring needs to know of a shard. */
export interface RingShard {
  /** Number of the shard; breaks ties. */
  readonly index: number;
  /** Name that is hashed, `shard-0`. */
  readonly name: string;
}

/**
 * Keys that leave their own order: for each the indexes of the shards that come first, the owner before all. Keys are the
 * values of the shard label; the empty key stands for the series without one, whose owner stays the home shard.
 */
export type Pins = ReadonlyMap<string, readonly number[]>;

/** What decides routing: two writers with equal tables route alike. */
export interface RingTable {
  /** Label whose value is the key of a series. */
  readonly shardLabel: string;
  /** Index of the shard that takes the series without a key. */
  readonly homeShard: number;
  readonly shards: readonly RingShard[];
  /** Default: none. */
  readonly pins?: Pins;
}

/** Weight of a shard for a key: an unsigned 64 bit number as two unsigned 32 bit halves (exact in a JavaScript number). */
export interface Score {
  readonly high: number;
  readonly low: number;
}

/** First 8 bytes, big endian, of SHA-256(shard name, one zero byte, key). A string key is taken as its UTF-8 bytes. */
export function ringScore(shardName: string, key: string | Uint8Array): Score {
  const digest = createHash("sha256").update(shardName, "utf8").update("\0").update(key).digest();
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}

/** The score as one number, for people and test vectors. */
export function scoreValue(score: Score): bigint {
  return (BigInt(score.high) << 32n) | BigInt(score.low);
}

/** Shards by descending score for `key`; equal scores by ascending index. The first one owns the key. */
export function rankShards<S extends RingShard>(shards: readonly S[], key: string | Uint8Array): readonly S[] {
  return shards
    .map((shard) => ({ shard, score: ringScore(shard.name, key) }))
    .sort(
      (left, right) =>
        right.score.high - left.score.high || right.score.low - left.score.low || left.shard.index - right.shard.index,
    )
    .map(({ shard }) => shard);
}

/**
 * Shards in the order in which they are tried for a series. `key` is the value of the shard label; undefined and the
 * empty string both mean "has no such label" (Prometheus drops empty labels): the home shard first, then the order of
 * the empty key. The shards of the key's `pin` come before the others; those that are not in the ring are passed over.
 * @throws Error when the home shard is needed and is not in the ring.
 */
export function shardOrder<S extends RingShard>(
  table: { readonly homeShard: number; readonly shards: readonly S[] },
  key: string | Uint8Array | undefined,
  pin: readonly number[] = [],
): readonly S[] {
  if (key !== undefined && key.length > 0) return withFirst(rankShards(table.shards, key), pin);
  if (!table.shards.some((shard) => shard.index === table.homeShard)) {
    throw new Error(`homeShard: ${String(table.homeShard)}: is not a shard of the ring; name one that is`);
  }
  return withFirst(rankShards(table.shards, ""), [table.homeShard, ...pin]);
}

/** The shards named by `first` in that order, then the others as they were. */
function withFirst<S extends RingShard>(ranked: readonly S[], first: readonly number[]): readonly S[] {
  if (first.length === 0) return ranked;
  const named = [...new Set(first)].flatMap((index) => ranked.filter((shard) => shard.index === index));
  return [...named, ...ranked.filter((shard) => !named.includes(shard))];
}

/**
 * Version of a ring table: the first 16 hexadecimal digits of the SHA-256 of its canonical JSON. Only what decides
 * routing goes in, not the hubs' addresses, and the order of the shards and pins in the table does not matter. A table
 * without pins has the version that it had before there were pins.
 */
export function ringVersion(table: RingTable): string {
  const shards = [...table.shards].sort((left, right) => left.index - right.index);
  const pins = [...(table.pins ?? [])]
    .map(([key, first]) => ({ key: Buffer.from(key, "utf8").toString("hex"), shards: first }))
    .sort((left, right) => (left.key < right.key ? -1 : 1));
  const canonical = JSON.stringify({
    shardLabel: table.shardLabel,
    homeShard: table.homeShard,
    shards: shards.map(({ index, name }) => ({ index, name })),
    ...(pins.length === 0 ? {} : { pins }),
  });
  return createHash("sha256").update(canonical, "utf8").digest("hex").slice(0, 16);
}
