import { shardOrder, type Pins, type RingShard } from "./ring";
import { settle, type Bin, type Load } from "./rebalance";

/**
 * Which keys leave their rendezvous shard so that no shard holds many more series than another, and where a shard's keys
 * go when it fails. Pure; sticky: a key stays where it is unless its shard is too full or the newest one too empty.
 *
 * A new shard moves at most 1.15 of the ideal 1/(N+1) where a shard is worth three tolerances or more (Magma's: six at 16
 * shards). Keys can't be divided: in smaller rings of heavy keys more than that has been seen to move.
 */

/** Bounds of the placement. */
export const placementBounds = {
  /** Series that a shard may be away from the mean; the heaviest key's when that is more. Source: the mission. */
  toleratedSeries: 1_000,
  /** Share of the tolerance at which keys are moved. */
  trigger: 0.8,
  /** Share of the tolerance to which they are moved: the gap to the trigger keeps them from moving to and fro. */
  target: 0.5,
  /** Most that a survivor of a failed shard may hold, over the survivors' mean. Source: the mission. */
  failoverPeak: 1.15,
  /** The same where the order of failover is chosen, and where it is chosen anew. */
  failoverTarget: 1.1,
  failoverTrigger: 1.13,
} as const;

/** A ring as it routes. */
export interface PlacedRing {
  readonly shards: readonly RingShard[];
  readonly pins: Pins;
}

export interface PlacementInput {
  /** Index of the shard that holds the series without a key. */
  readonly homeShard: number;
  /** Shards of the ring from now on. */
  readonly shards: readonly RingShard[];
  /** Series of each key, whole numbers. The empty key stands for the series without one. */
  readonly series: ReadonlyMap<string, number>;
  /** The ring that routes now; default: `shards` without pins. */
  readonly previous?: PlacedRing;
  /** Keys that must not be moved again yet, unless their shard has left the ring; default: none. */
  readonly recentlyMoved?: ReadonlySet<string>;
}

export interface PlacementPlan {
  /** Only of the keys that leave their own order, by ascending key: the owner, and the next one if that differs too. */
  readonly pins: Pins;
  /** Owner of each key, by ascending key: index of the shard. */
  readonly owners: ReadonlyMap<string, number>;
  /** Series of each shard by index. */
  readonly series: ReadonlyMap<number, number>;
  /** Keys whose owner changes, and their series. */
  readonly moved: readonly string[];
  readonly movedSeries: number;
  /** Series that a shard holds on average, and how far from it one may be. */
  readonly mean: number;
  readonly tolerance: number;
  /** False: frozen keys, or more series without a key than a shard may hold, stand in the way. */
  readonly isBalanced: boolean;
}

/** Plans the pins. The same input gives the same plan, whatever the order of its shards and keys. */
export function planPlacement(input: PlacementInput): PlacementPlan {
  const shards = [...input.shards].sort((left, right) => left.index - right.index);
  const keys = [...input.series.keys()].filter((key) => key !== "").sort();
  const fleet = new Fleet({ ...input, shards }, keys);
  const owners = placed(fleet);
  const next = failedOver(fleet, owners);
  return summary(fleet, owners, next);
}

interface Key {
  readonly key: string;
  readonly weight: number;
  /** Positions of the shards in the key's own order. */
  readonly order: readonly number[];
  /** Position of the shard that has it now; undefined when that left the ring. */
  readonly now: number | undefined;
  /** Position of the shard that takes over from it now. */
  readonly next: number | undefined;
  readonly isFrozen: boolean;
}

class Fleet {
  readonly shards: readonly RingShard[];
  readonly keys: readonly Key[];
  readonly home: number;
  readonly unkeyed: Key;
  readonly total: number;
  readonly heaviest: number;

  constructor(input: PlacementInput, names: readonly string[]) {
    const { shards, previous = { shards, pins: new Map<string, readonly number[]>() } } = input;
    this.shards = shards;
    this.home = shards.findIndex(({ index }) => index === input.homeShard);
    if (this.home < 0) {
      throw new Error(`homeShard: ${String(input.homeShard)}: is not a shard of the ring; name one that is`);
    }
    const positions = new Map(shards.map(({ index }, position) => [index, position]));
    // Hashing is most of the work: not twice for a ring that stays as it is.
    const isSameRing = JSON.stringify(previous.shards) === JSON.stringify(shards);
    const positionOf = (shard: RingShard | undefined): number | undefined =>
      shard === undefined ? undefined : positions.get(shard.index);
    const keyOf = (key: string): Key => {
      const pin = previous.pins.get(key) ?? [];
      const own = shardOrder(input, key);
      const hadHome = key !== "" || previous.shards.some(({ index }) => index === input.homeShard);
      const isAsBefore = (isSameRing && pin.length === 0) || !hadHome;
      const old = isAsBefore ? own : shardOrder({ ...previous, homeShard: input.homeShard }, key, pin);
      return {
        key,
        weight: input.series.get(key) ?? 0,
        order: own.map(({ index }) => positions.get(index) ?? 0),
        now: positionOf(old[0]),
        next: pin.length > 1 ? positionOf(old[1]) : undefined,
        isFrozen: input.recentlyMoved?.has(key) === true,
      };
    };
    this.keys = names.map(keyOf);
    this.unkeyed = keyOf("");
    this.total = this.unkeyed.weight + this.keys.reduce((sum, { weight }) => sum + weight, 0);
    this.heaviest = this.keys.reduce((most, { weight }) => Math.max(most, weight), 0);
  }

  get mean(): number {
    return this.total / this.shards.length;
  }

  get tolerance(): number {
    return Math.max(placementBounds.toleratedSeries, this.heaviest);
  }

  /** Limits of the shards: `share` of the tolerance around what each can hold at best. */
  bins(share: number): readonly Bin[] {
    const slack = share * this.tolerance;
    const fixed = this.unkeyed.weight;
    const count = this.shards.length;
    // More without a key than a shard's share: the others divide the rest.
    const isHomeFull = fixed > this.mean && count > 1;
    const level = isHomeFull ? (this.total - fixed) / (count - 1) : this.mean;
    // Below the mean by no more than the tolerance, as long as the home shard leaves that much to the others.
    const least = fixed <= this.mean + this.tolerance ? this.mean - this.tolerance : -Infinity;
    return this.shards.map((_, position) =>
      position === this.home
        ? {
            fixed,
            lower: isHomeFull ? 0 : Math.ceil(level - slack),
            upper: isHomeFull ? Math.max(fixed, Math.floor(this.mean + slack)) : Math.floor(level + slack),
          }
        : { fixed: 0, lower: Math.ceil(Math.max(level - slack, least)), upper: Math.floor(level + slack) },
    );
  }
}

/** Position of each key's shard. */
function placed(fleet: Fleet): readonly number[] {
  const loads = fleet.keys.map(({ weight, order, now, isFrozen }): Load => ({
    weight,
    order,
    bin: now ?? order[0] ?? 0,
    isFrozen: isFrozen && now !== undefined,
    isOnItsWay: now === undefined,
  }));
  return settle(loads, {
    trigger: fleet.bins(placementBounds.trigger),
    target: fleet.bins(placementBounds.target),
    hard: fleet.bins(1),
  });
}

/** Position of the shard that takes over each key, then that for the series without a key; nobody's in a ring of one. */
function failedOver(fleet: Fleet, owners: readonly number[]): readonly (number | undefined)[] {
  const { keys, unkeyed, shards, home, total } = fleet;
  const all = [...keys, unkeyed];
  const where = [...owners, home];
  const next: (number | undefined)[] = all.map(() => undefined);
  if (shards.length < 2) return next;
  const weights = shards.map(() => 0);
  all.forEach(({ weight }, at) => {
    const owner = where[at] ?? 0;
    weights[owner] = (weights[owner] ?? 0) + weight;
  });
  shards.forEach((_, failed) => {
    const members = all.flatMap((_, at) => (where[at] === failed ? [at] : []));
    const mean = total / (shards.length - 1);
    const bins = (peak: number): readonly Bin[] =>
      shards.map((_, position) => ({
        fixed: position === failed ? 0 : (weights[position] ?? 0),
        lower: 0,
        upper: Math.floor(peak * mean),
      }));
    const loads = members.map((at): Load => {
      const { weight = 0, order = [], next: kept } = all[at] ?? {};
      const others = order.filter((position) => position !== failed);
      const bin = kept !== undefined && kept !== failed ? kept : (others[0] ?? 0);
      return { weight, order: others, bin };
    });
    const chosen = settle(loads, {
      trigger: bins(placementBounds.failoverTrigger),
      target: bins(placementBounds.failoverTarget),
      hard: bins(placementBounds.failoverPeak),
    });
    members.forEach((at, position) => {
      next[at] = chosen[position];
    });
  });
  return next;
}

function summary(fleet: Fleet, owners: readonly number[], next: readonly (number | undefined)[]): PlacementPlan {
  const { shards, keys, unkeyed } = fleet;
  const indexOf = (position: number | undefined): number => shards[position ?? -1]?.index ?? -1;
  const pins = new Map<string, readonly number[]>();
  [unkeyed, ...keys].forEach(({ key, order }, at) => {
    const owner = key === "" ? fleet.home : owners[at - 1];
    const then = key === "" ? next[keys.length] : next[at - 1];
    const ownNext = order.find((position) => position !== owner);
    if (then !== undefined && then !== ownNext) pins.set(key, [indexOf(owner), indexOf(then)]);
    else if (owner !== order[0]) pins.set(key, [indexOf(owner)]);
  });
  const moved = keys.filter(({ now }, at) => now !== owners[at]);
  const series = shards.map((_, position) => (position === fleet.home ? unkeyed.weight : 0));
  keys.forEach(({ weight }, at) => {
    const owner = owners[at] ?? 0;
    series[owner] = (series[owner] ?? 0) + weight;
  });
  const { mean, tolerance } = fleet;
  return {
    pins,
    owners: new Map(keys.map(({ key }, at) => [key, indexOf(owners[at])])),
    series: new Map(shards.map(({ index }, position) => [index, series[position] ?? 0])),
    moved: moved.map(({ key }) => key),
    movedSeries: moved.reduce((sum, { weight }) => sum + weight, 0),
    mean,
    tolerance,
    isBalanced: series.every((each) => Math.abs(each - mean) <= tolerance),
  };
}
