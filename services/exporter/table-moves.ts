import type { ExporterShards } from "../../model/exporter-shards";
import type { FailedShard, PlacementTable } from "../../model/placement-table";
import { shardOrder } from "../../model/ring";
import { markedShards } from "./marked-shards";

/** Keys that are remembered for one table before the memory starts anew. */
const maxCachedKeys = 200_000;

/**
 * Which other shards held a key within the last lookback, as the table tells: where its owner was before it moved, in
 * the rings before this one, and while a shard was down. A shard that left the ring is among them as long as the
 * configuration names it: its Prometheus goes on answering. One whose Prometheus is gone is not.
 */
export class TableMoves {
  readonly #table: () => PlacementTable | undefined;
  readonly #positions: ReadonlyMap<number, number>;
  #known: PlacementTable | undefined;
  #moved = new Map<string, PlacementTable["moved"]>();
  #orders = new Map<string, readonly number[]>();
  #before = new Map<string, readonly (readonly number[])[]>();

  /** `table`: the newest good one. */
  constructor(config: ExporterShards, table: () => PlacementTable | undefined) {
    this.#table = table;
    this.#positions = new Map(markedShards(config).map(({ index }, position) => [index, position]));
  }

  /**
   * Positions of the other shards that held a key, as `markedShards` lists them.
   * @param key Value of the shard label, unescaped; empty for the series without one.
   * @param owner Position of the shard that takes it now.
   * @param time Milliseconds since the epoch: now, or the timestamp of the oldest sample, which may be from before a move
   *   that is over now.
   * @param now Milliseconds since the epoch: what the table says of later times has not come yet.
   */
  holders(key: string, owner: number, time: number, now: number): readonly number[] {
    const table = this.#table();
    if (table === undefined) return [];
    if (table !== this.#known) this.#learn(table);
    // Nearly always: nothing has moved for a while.
    if (table.moved.length + table.previous.length + table.failed.length === 0) return [];
    const since = time - table.lookback;
    const held = new Set<number>();
    for (const { shards, at } of this.#moved.get(key) ?? []) {
      if (at > since && at <= now) shards.forEach((index) => held.add(index));
    }
    const failed = table.failed.filter(({ from, until }) => until > since && from <= now);
    if (failed.length > 0) {
      takers(this.#orderOf(table, key), failed, since, now).forEach((index) => held.add(index));
    }
    for (const { order, until } of this.#ordersBefore(table, key)) {
      if (until <= since) continue;
      const [owner] = order;
      if (owner !== undefined) held.add(owner);
      takers(order, failed, since, Math.min(now, until)).forEach((index) => held.add(index));
    }
    const positions = [...held].map((index) => this.#positions.get(index));
    return positions.filter((position) => position !== undefined && position !== owner) as readonly number[];
  }

  #orderOf(table: PlacementTable, key: string): readonly number[] {
    let order = this.#orders.get(key);
    if (order === undefined) {
      if (this.#orders.size >= maxCachedKeys) this.#orders.clear();
      order = shardOrder(table, key, table.pins.get(key)).map(({ index }) => index);
      this.#orders.set(key, order);
    }
    return order;
  }

  /** The key's shards by each of the rings before, and when that ring ended. */
  #ordersBefore({ previous }: PlacementTable, key: string): readonly { order: readonly number[]; until: number }[] {
    if (previous.length === 0) return [];
    let orders = this.#before.get(key);
    if (orders === undefined) {
      if (this.#before.size >= maxCachedKeys) this.#before.clear();
      orders = previous.map((ring) => shardOrder(ring, key, ring.pins.get(key)).map(({ index }) => index));
      this.#before.set(key, orders);
    }
    return previous.map(({ until }, at) => ({ order: orders[at] ?? [], until }));
  }

  #learn(table: PlacementTable): void {
    this.#known = table;
    this.#orders = new Map();
    this.#before = new Map();
    this.#moved = new Map();
    for (const entry of table.moved) this.#moved.set(entry.key, [...(this.#moved.get(entry.key) ?? []), entry]);
  }
}

/** Who took a key with this order at `since`, at `end`, and at each moment between them at which a shard failed or came back. */
function takers(
  order: readonly number[],
  failed: readonly FailedShard[],
  since: number,
  end: number,
): ReadonlySet<number> {
  const moments = [since, end, ...failed.flatMap(({ from, until }) => [from, until])];
  const found = moments
    .filter((each) => each >= since && each <= end)
    .map((moment) => {
      const isDown = (index: number): boolean =>
        failed.some(({ shard, from, until }) => shard === index && from <= moment && moment < until);
      return order.find((index) => !isDown(index)) ?? order[0];
    });
  return new Set(found.filter((index) => index !== undefined));
}
