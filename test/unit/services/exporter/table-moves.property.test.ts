import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlacementTable } from "../../../../model/placement-table";
import { shardOrder } from "../../../../model/ring";
import { parseExposition } from "../../../../services/exporter/exposition";
import { Marking } from "../../../../services/exporter/marking";
import { SeenMoves, type Span } from "../../../../services/exporter/moves";
import { Router, type Route } from "../../../../services/exporter/route";
import { TableMoves } from "../../../../services/exporter/table-moves";
import { cases } from "../../../thorough";
import { lookback, tableOf } from "../placement/tables";
import { exporterConfigOf } from "./exporter-config-of";
import { pause, StoredPoints } from "./stored-points";

const shards = 3;
const start = 1_700_000_000_000;
const key = "g";
const series = `m{gatewayID="${key}"}`;
const config = exporterConfigOf(Array.from({ length: shards }, () => ["http://hub:1"]));

/** What happens before a push, and the push. */
interface Step {
  /** Seconds since the push before it. */
  readonly pause: number;
  /** The table pins the key to this shard, or says that it is down or well again. */
  readonly change: { readonly shard: number; readonly before: number } | undefined;
  /** Position of the exporter that takes the push. */
  readonly exporter: number;
  /** How old the push's newest sample is, in seconds. */
  readonly age: number;
  /** Samples of the push, a second apart. */
  readonly samples: number;
  /** How many samples ago one was due that comes late, just before the push; 0: none. */
  readonly late: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  pause,
  change: fc.option(fc.record({ shard: fc.nat(shards - 1), before: fc.integer({ min: 0, max: 14 }) }), {
    freq: 3,
    nil: undefined,
  }),
  exporter: fc.nat(1),
  age: fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 0, max: 60 }) }),
  samples: fc.integer({ min: 1, max: 10 }),
  late: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 }) }),
});

/** Two exporters, neither of which sees what the other one takes, and one table. */
class World {
  readonly stored = Array.from({ length: shards }, () => new StoredPoints());
  table: PlacementTable = tableOf(shards);
  now = start;
  newest = start;
  readonly #router = new Router(config);
  readonly #exporters = [0, 1].map(
    () =>
      new Marking({
        router: this.#router,
        seen: new SeenMoves(lookback, 1_500_000),
        others: [new TableMoves(config, () => this.table)],
        ender: {
          end: (position, lines) => {
            for (const line of lines) this.stored[position]?.marker(Number(line.trimEnd().split(" ").at(-1)));
          },
        },
        now: () => this.now,
      }),
  );

  /** The shard that takes the key by the table. */
  get taker(): number {
    const order = shardOrder(this.table, key, this.table.pins.get(key)).map(({ index }) => index);
    const isDown = (index: number) => this.table.failed.some(({ shard, until }) => shard === index && until > this.now);
    return order.find((index) => !isDown(index)) ?? order[0] ?? -1;
  }

  pin(shard: number): void {
    const { taker } = this;
    if (shard === taker) return;
    const moved = [...this.table.moved, { key, shards: [taker], at: this.now }];
    this.table = {
      ...this.table,
      pins: new Map([[key, [shard]]]),
      moved: moved.filter(({ at }) => at > this.now - 2 * lookback),
    };
  }

  /** Down, or well again. */
  turn(shard: number): void {
    const isDown = this.table.failed.some((each) => each.shard === shard && each.until > this.now);
    const failed = isDown
      ? this.table.failed.map((each) =>
          each.shard === shard && each.until > this.now ? { ...each, until: this.now } : each,
        )
      : [...this.table.failed, { shard, from: this.now, until: Number.MAX_SAFE_INTEGER }];
    this.table = { ...this.table, failed: failed.filter(({ until }) => until + lookback > this.now) };
  }

  /** @returns the timestamps, which are after those of all pushes before. */
  async push({ exporter, age, samples: count }: Step): Promise<readonly number[]> {
    const newest = Math.max(this.now - age * 1000, this.newest + 1000);
    const all = Array.from({ length: count }, (_, at) => newest - (count - 1 - at) * 1000);
    const timestamps = all.filter((each) => each > this.newest);
    this.newest = newest;
    await this.take(exporter, timestamps);
    return timestamps;
  }

  async take(exporter: number, timestamps: readonly number[]): Promise<void> {
    const text = timestamps.map((each) => `${series} 1 ${String(each)}\n`).join("");
    const samples = parseExposition(Buffer.from(text), { shardLabel: "gatewayID", receiveTime: 0 });
    const span = { oldest: timestamps[0] ?? 0, newest: timestamps.at(-1) ?? 0 };
    const spans = new Map<Route, Span>([[this.#router.routeOf(samples, 0), span]]);
    const { taker } = this;
    for (const each of timestamps) this.stored[taker]?.sample(each);
    this.#exporters[exporter]?.stored(samples, Uint32Array.from(timestamps.keys()), spans, taker);
    await turn();
  }

  /** On how many shards the series is visible at a time. */
  count(time: number): number {
    return this.stored.filter((points) => points.isLiveAt(time)).length;
  }
}

type Change = (world: World, shard: number) => void;

const changes: readonly (readonly [what: string, change: Change])[] = [
  ["the table pins it elsewhere", (world, shard) => world.pin(shard)],
  ["shards are down by the table", (world, shard) => world.turn(shard)],
];

/** On how many shards the series is visible at times after its samples. */
async function countsOf(steps: readonly Step[], change: Change, mayBeLate: boolean): Promise<readonly number[]> {
  const world = new World();
  const pushed: number[] = [];
  for (const one of steps) {
    world.now += one.pause * 1000;
    if (one.change !== undefined) {
      const { now } = world;
      world.now = now - one.change.before * 1000;
      change(world, one.change.shard);
      world.now = now;
    }
    const due = one.late === 0 || !mayBeLate ? undefined : pushed.at(-one.late);
    if (due !== undefined) {
      pushed.push(due - 400);
      await world.take(one.exporter, [due - 400]);
    }
    pushed.push(...(await world.push(one)));
  }
  const timestamps = [...new Set(pushed)].sort((left, right) => left - right);
  const counts: number[] = [];
  for (const [at, timestamp] of timestamps.entries()) {
    const next = timestamps[at + 1] ?? Infinity;
    // Not within two milliseconds of a sample: the marker of one that is on both shards comes a millisecond later.
    const times = [timestamp + 2, timestamp + 7_500, next - 1, timestamp + lookback - 1];
    counts.push(...times.filter((time) => time < next && time < timestamp + lookback).map((time) => world.count(time)));
  }
  return counts;
}

describe("a key whose pushes come through two exporters, with timestamps from before they came", () => {
  const list = fc.array(step, { minLength: 2, maxLength: 25 });

  it.each(changes)("counts exactly once, whenever %s", async (_, change) => {
    await fc.assert(
      fc.asyncProperty(list, async (steps) => {
        expect([...new Set(await countsOf(steps, change, false))]).toStrictEqual([1]);
      }),
      { numRuns: cases(300) },
    );
  });

  it.each(changes)("is not hidden by a sample that comes late around one move, where %s", async (_, change) => {
    await fc.assert(
      fc.asyncProperty(list, async (steps) => {
        const first = steps.findIndex((each) => each.change !== undefined);
        const late = steps.findIndex((each) => each.late > 0);
        const once = steps.map((each, at) => ({
          ...each,
          change: at === first ? each.change : undefined,
          late: at === late ? each.late : 0,
        }));
        expect(await countsOf(once, change, true)).not.toContain(0);
      }),
      { numRuns: cases(300) },
    );
  });
});
