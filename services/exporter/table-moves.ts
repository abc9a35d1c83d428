import type { ExporterConfig } from "../../model/exporter-config";
import type { PlacementTable, PreviousRing } from "../../model/placement-table";
import { shardOrder } from "../../model/ring";

/** Keys that are remembered for one table before the memory starts anew. */
const maxCachedKeys = 200_000;

/**
 * Which other shards held a key within the last lookback, as the table tells: where its owner was before it moved, in
 * the ring before this one, and while a shard was down. Only shards of this exporter's ring; one that left it is not
 * among them.
 */
export class TableMoves {
  readonly #table: () => PlacementTable | undefined;
  readonly #positions: ReadonlyMap<number, number>;
  #known: PlacementTable | undefined;
  #moved = new Map<string, PlacementTable["moved"]>();
  #orders = new Map<string, readonly number[]>();
  #before = new Map<string, readonly number[]>();

  /** `table`: the newest good one. */
  constructor(config: Pick<ExporterConfig, "shards">, table: () => PlacementTable | undefined) {
    this.#table = table;
    this.#positions = new Map(config.shards.map(({ index }, position) => [index, position]));
  }

  /**
   * Positions of the other shards that held a key.
   * @param key Value of the shard label, unescaped; empty for the series without one.
   * @param owner Position of the shard that takes it now.
   * @param now Milliseconds since the epoch.
   */
  holders(key: string, owner: number, now: number): readonly number[] {
    const table = this.#table();
    if (table === undefined) return [];
    if (table !== this.#known) this.#learn(table);
    // Nearly always: nothing has moved for a while.
    if (table.moved.length + table.previous.length + table.failed.length === 0) return [];
    const since = now - table.lookback;
    const held = new Set<number>();
    for (const { shards, at } of this.#moved.get(key) ?? []) {
      if (at > since && at <= now) shards.forEach((index) => held.add(index));
    }
    const owners = this.#ownersBefore(table.previous, key);
    table.previous.forEach(({ until }, at) => {
      const before = owners[at];
      if (until > since && before !== undefined) held.add(before);
    });
    this.#duringFailures(table, key, since, now).forEach((index) => held.add(index));
    const positions = [...held].map((index) => this.#positions.get(index));
    return positions.filter((position) => position !== undefined && position !== owner) as readonly number[];
  }

  /** Who took the key at each moment at which a shard failed or came back, and now. */
  #duringFailures(table: PlacementTable, key: string, since: number, now: number): ReadonlySet<number> {
    const recent = table.failed.filter(({ from, until }) => until > since && from <= now);
    const takers = new Set<number>();
    if (recent.length === 0) return takers;
    const order = this.#orderOf(table, key);
    const moments = [since, now, ...recent.flatMap(({ from, until }) => [from, until])];
    for (const moment of moments.filter((each) => each >= since && each <= now)) {
      const isDown = (index: number): boolean =>
        recent.some(({ shard, from, until }) => shard === index && from <= moment && moment < until);
      const taker = order.find((index) => !isDown(index)) ?? order[0];
      if (taker !== undefined) takers.add(taker);
    }
    return takers;
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

  /** Index of the key's shard in each of the rings before. */
  #ownersBefore(rings: readonly PreviousRing[], key: string): readonly number[] {
    let owners = this.#before.get(key);
    if (owners === undefined) {
      if (this.#before.size >= maxCachedKeys) this.#before.clear();
      owners = rings.map((ring) => shardOrder(ring, key, ring.pins.get(key))[0]?.index ?? ring.homeShard);
      this.#before.set(key, owners);
    }
    return owners;
  }

  #learn(table: PlacementTable): void {
    this.#known = table;
    this.#orders = new Map();
    this.#before = new Map();
    this.#moved = new Map();
    for (const entry of table.moved) this.#moved.set(entry.key, [...(this.#moved.get(entry.key) ?? []), entry]);
  }
}
