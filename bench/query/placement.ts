/** Which shard holds a gateway: the ring as writers use it, and how a placement would even it out. */

import { rankShards, shardOrder, type RingShard } from "../../model/ring";
import { shardName } from "../../model/names";

/** A key of the ring with its number of series; the key "" is what has no gateway. */
export interface Weighted {
  readonly key: string;
  readonly series: number;
}

/** Shard index by key, and series by shard index. */
export interface Placement {
  readonly shardOf: ReadonlyMap<string, number>;
  readonly series: readonly number[];
}

/**
 * Places keys by the ring. With a `cap`, a shard that is more than `cap` series over the mean gives its smallest keys
 * to the next shard of their own order that has room, until it is not.
 */
export function place(keys: readonly Weighted[], shards: number, cap: number | undefined): Placement {
  const ring = Array.from({ length: shards }, (_, index): RingShard => ({ index, name: shardName(index) }));
  const shardOf = new Map<string, number>();
  const series = ring.map(() => 0);
  const put = ({ key, series: weight }: Weighted, shard: number): void => {
    const before = shardOf.get(key);
    if (before !== undefined) series[before] = (series[before] ?? 0) - weight;
    shardOf.set(key, shard);
    series[shard] = (series[shard] ?? 0) + weight;
  };
  for (const each of keys) {
    put(each, shardOrder({ homeShard: 0, shards: ring }, each.key)[0]?.index ?? 0);
  }
  if (cap !== undefined) {
    const limit = keys.reduce((sum, each) => sum + each.series, 0) / shards + cap;
    for (const { index } of ring) {
      const leaving = keys
        .filter(({ key }) => key !== "" && shardOf.get(key) === index)
        .sort((left, right) => left.series - right.series);
      for (const each of leaving) {
        if ((series[index] ?? 0) <= limit) break;
        const next = rankShards(ring, each.key).find(
          (shard) => shard.index !== index && (series[shard.index] ?? 0) + each.series <= limit,
        );
        if (next !== undefined) put(each, next.index);
      }
    }
  }
  return { shardOf, series };
}
