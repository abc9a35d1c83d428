import fc from "fast-check";
import { planPlacement, type PlacedRing, type PlacementPlan } from "../../../model/placement";
import { shardOrder, type Pins, type RingShard } from "../../../model/ring";
import { defaultFleet, makeFleet } from "../../../tools/feed/fleet";

/** Series of each key; the empty key stands for the series without one. */
export type Series = ReadonlyMap<string, number>;

export function shardsOf(count: number): readonly RingShard[] {
  return Array.from({ length: count }, (_, index) => ({ index, name: `shard-${String(index)}` }));
}

/** 347 gateways and 1,500 series of no gateway, as the feed makes them; other names for other seeds. */
export function magmaFleet(seed = defaultFleet.seed): Series {
  const { gateways } = makeFleet({ ...defaultFleet, seed }, "run");
  const name = (id: string): string => (id === "" || seed === defaultFleet.seed ? id : `${id}-${String(seed)}`);
  return new Map(gateways.map(({ id, size }) => [name(id), size]));
}

export function totalOf(series: Series): number {
  return [...series.values()].reduce((sum, each) => sum + each, 0);
}

export function heaviestOf(series: Series): number {
  return Math.max(0, ...[...series].map(([key, weight]) => (key === "" ? 0 : weight)));
}

/** Plans for a ring of `count` shards with home shard 0. */
export function plan(series: Series, count: number, previous?: PlacedRing): PlacementPlan {
  return planPlacement({
    homeShard: 0,
    shards: shardsOf(count),
    series,
    ...(previous === undefined ? {} : { previous }),
  });
}

export function ringOf(count: number, { pins }: { readonly pins: Pins }): PlacedRing {
  return { shards: shardsOf(count), pins };
}

/** Orders of shards of every key as a writer finds them, from the pins alone. */
export class Writer {
  readonly #orders: readonly { readonly weight: number; readonly order: readonly number[] }[];

  constructor(
    series: Series,
    readonly count: number,
    pins: Pins,
  ) {
    const table = { homeShard: 0, shards: shardsOf(count) };
    this.#orders = [...series].map(([key, weight]) => ({
      weight,
      order: shardOrder(table, key, pins.get(key)).map(({ index }) => index),
    }));
  }

  /** Series of each shard; `failed` takes none. */
  series(failed?: number): readonly number[] {
    const weights = Array.from({ length: this.count }, () => 0);
    for (const { weight, order } of this.#orders) {
      const owner = order.find((index) => index !== failed) ?? 0;
      weights[owner] = (weights[owner] ?? 0) + weight;
    }
    return weights;
  }

  /** Series of the fullest survivor, for the worst of all failed shards. */
  failoverPeak(): number {
    return Math.max(...shardsOf(this.count).map(({ index }) => Math.max(...this.series(index))));
  }

  /** Series that another writer sends elsewhere. */
  movedTo(other: Writer): number {
    return this.#orders.reduce(
      (sum, { weight, order }, at) => sum + (order[0] === other.#orders[at]?.order[0] ? 0 : weight),
      0,
    );
  }
}

const equal = fc
  .tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 3_000 }))
  .map(([count, size]) => Array.from({ length: count }, () => size));
/** From uniform to a few giants: u^exponent over a scale. */
const uneven = fc
  .tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 10, max: 20_000 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 80, size: "max" }),
  )
  .map(([exponent, scale, draws]) => draws.map((draw) => Math.round(draw ** exponent * scale)));

/** Enough keys that a shard is worth several of the heaviest in most rings: equal, uniform or skewed sizes. */
export const sizableFleet: fc.Arbitrary<Series> = fc
  .tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 500, max: 8_000 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 60, maxLength: 150, size: "max" }),
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 0, max: 1_000_000 }),
  )
  .map(([exponent, least, scale, draws, unkeyed, salt]) => {
    const keyed = draws.map((draw, at): [string, number] => [
      `gw-${String(salt)}-${String(at)}`,
      least + Math.round(draw ** exponent * scale),
    ]);
    return new Map<string, number>([...keyed, ["", unkeyed]]);
  });

/** Fleets of every shape, from one key to 80, equal or with a few giants, with and without series of no key. */
export const anyFleet: fc.Arbitrary<Series> = fc
  .tuple(
    fc.oneof(equal, uneven),
    fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 200_000 })),
    fc.integer({ min: 0, max: 1_000_000 }),
  )
  .map(([sizes, unkeyed, salt]) => {
    const keyed = sizes.map((size, at) => [`gw-${String(salt)}-${String(at)}`, size] as const);
    return new Map<string, number>([...keyed, ["", unkeyed]]);
  });
