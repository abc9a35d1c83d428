import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../../services/exporter/exposition";
import { Marking } from "../../../../services/exporter/marking";
import { SeenMoves, type Span } from "../../../../services/exporter/moves";
import { Router, type Route } from "../../../../services/exporter/route";
import { lookback } from "../placement/tables";
import { exporterConfigOf } from "./exporter-config-of";
import { pause, StoredPoints } from "./stored-points";
import { cases } from "../../../thorough";

const interval = 15_000;
const shards = 3;
const start = 1_700_000_000_000;
const seriesOf = ["a", "b"].map((name) => `${name}{gatewayID="g"}`);

/** What became of one push, in the order in which it tries the shards. */
interface Push {
  /** Seconds since the push before it. */
  readonly pause: number;
  /** Shards that did not answer, and whether they took it all the same. */
  readonly silent: readonly { readonly shard: number; readonly took: boolean }[];
  /** The shard that took it; the client tries again later when it is -1. */
  readonly taker: number;
  /** How many pushes ago the samples were due; 0: now. */
  readonly late: number;
  /** A late push has come before; else it has a time of its own, a little earlier. */
  readonly again: boolean;
}

const push: fc.Arbitrary<Push> = fc.record({
  pause,
  silent: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.uniqueArray(fc.record({ shard: fc.nat(shards - 1), took: fc.boolean() }), {
        selector: ({ shard }) => shard,
        maxLength: 2,
      }),
    },
  ),
  taker: fc.integer({ min: 0, max: shards - 1 }),
  late: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 4 }) }),
  again: fc.boolean(),
});

/** Keys tend to stay where they are. */
const pushes = fc
  .array(fc.tuple(push, fc.integer({ min: 1, max: 6 })), { minLength: 1, maxLength: 12 })
  .map((list) =>
    list.flatMap(([one, times]) =>
      Array.from({ length: times }, (_, at) => (at === 0 ? one : { ...one, late: 0, pause: 15 })),
    ),
  );

class World {
  readonly stored = Array.from(
    { length: shards },
    () => new Map(seriesOf.map((series) => [series, new StoredPoints()])),
  );
  readonly #router = new Router(exporterConfigOf(Array.from({ length: shards }, () => ["http://hub:1"])));
  readonly #marking: Marking;
  now = start;

  constructor() {
    this.#marking = new Marking({
      router: this.#router,
      seen: new SeenMoves(lookback, 1_500_000),
      ender: {
        end: (position, lines) => {
          for (const line of lines) {
            const [, series = "", digits] = /^(.*) (\d+)\n$/.exec(line) ?? [];
            this.stored[position]?.get(series)?.marker(Number(digits));
          }
        },
      },
      now: () => this.now,
    });
  }

  async push({ silent, taker }: Push, timestamp: number): Promise<void> {
    const text = seriesOf.map((series) => `${series} 1 ${String(timestamp)}\n`).join("");
    const samples = parseExposition(Buffer.from(text), { shardLabel: "gatewayID", receiveTime: 0 });
    const spans = new Map<Route, Span>([[this.#router.routeOf(samples, 0), { oldest: timestamp, newest: timestamp }]]);
    for (const { shard, took } of silent) {
      if (shard === taker) continue;
      if (took) for (const series of seriesOf) this.stored[shard]?.get(series)?.sample(timestamp);
      this.#marking.maybeStored(spans, shard);
    }
    for (const series of seriesOf) this.stored[taker]?.get(series)?.sample(timestamp);
    this.#marking.stored(samples, Uint32Array.from(seriesOf.keys()), spans, taker);
    await turn();
  }

  /** On how many shards the series is visible at a time. */
  count(series: string, time: number): number {
    return this.stored.filter((shard) => shard.get(series)?.isLiveAt(time) === true).length;
  }
}

describe("whatever becomes of the pushes of a key", () => {
  it("each of its series counts exactly once, from its first sample to a lookback after its last", async () => {
    await fc.assert(
      fc.asyncProperty(pushes, async (list) => {
        const world = new World();
        const timestamps: number[] = [];
        for (const one of list) {
          world.now += one.pause * 1000;
          const due = timestamps.at(-one.late);
          const timestamp = one.late === 0 || due === undefined ? world.now : due - (one.again ? 0 : 4_000);
          timestamps.push(timestamp);
          await world.push(one, timestamp);
        }
        const sorted = [...new Set(timestamps)].sort((left, right) => left - right);
        for (const [at, timestamp] of sorted.entries()) {
          const next = sorted[at + 1] ?? Infinity;
          // Not within two milliseconds of a push: a series that both shards have at one timestamp ends just after it.
          for (const time of [
            timestamp + 2,
            timestamp + interval / 2,
            timestamp + interval - 1,
            timestamp + lookback - 1,
          ]) {
            if (time >= next) continue;
            for (const series of seriesOf) {
              expect([time - start, world.count(series, time)]).toStrictEqual([time - start, 1]);
            }
          }
          if (next > timestamp + lookback) expect(world.count(seriesOf[0] ?? "", timestamp + lookback)).toBe(0);
        }
      }),
      { numRuns: cases(300) },
    );
  });
});
