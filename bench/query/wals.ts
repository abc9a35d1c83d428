/** What a Prometheus that was killed finds at its start: the log of the data set's last two hours, per shard of every N. */

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as pause } from "node:timers/promises";
import { makeFleet, type Fleet, type Gateway } from "../../tools/feed/fleet";
import { valueAt } from "../../tools/feed/values";
import { step } from "../../tools/terminal";
import { DATA_END, datasetName, fleetOptions, storeFolder, storesOf, type Store } from "./dataset";
import type { DatasetOptions } from "./options";
import { WalWriter } from "./tsdb/wal";
import { labelsOf, pushTimes } from "./windows";

/** Hours of samples that a Prometheus' head holds: between one and three, two on average. */
export const WAL_HOURS = 2;

/** The folder that `ensureWals` makes for a shard of N. */
export function walFolder(dataset: string, shards: number, shard: number): string {
  return join(storeFolder(dataset, shards, shard), "wal");
}

/** One push, in the order in which they come. */
interface Push {
  readonly gateway: Gateway;
  readonly time: number;
}

function pushesOf(fleet: Fleet, interval: number): readonly Push[] {
  const start = DATA_END - WAL_HOURS * 3_600_000;
  return fleet.gateways
    .flatMap((gateway) =>
      pushTimes(fleet.options.seed, gateway.index, interval, start, DATA_END).map((time) => ({ gateway, time })),
    )
    .sort((left, right) => left.time - right.time);
}

/** A store's log with the numbers that its series have there. */
class Log {
  readonly #refs = new Map<string, number>();
  readonly #writer: WalWriter;

  constructor(readonly store: Store) {
    const folder = join(store.folder, "wal");
    rmSync(folder, { recursive: true, force: true });
    this.#writer = new WalWriter(folder);
  }

  push(keys: readonly string[], shard: number, time: number, values: readonly number[]): void {
    const refs = keys.map((key) => {
      const known = this.#refs.get(key);
      if (known !== undefined) return known;
      const ref = this.#refs.size + 1;
      this.#refs.set(key, ref);
      this.#writer.series(ref, labelsOf(key, shard));
      return ref;
    });
    this.#writer.samples(time, refs, values);
  }

  finish(): void {
    this.#writer.finish();
  }
}

/** Makes the logs that are missing. */
export async function ensureWals(root: string, options: DatasetOptions, shardCounts: readonly number[]): Promise<void> {
  const folder = join(root, datasetName(options));
  const mark = (shards: number): string => join(folder, `done-wal-n${String(shards)}`);
  const missing = shardCounts.filter((shards) => !existsSync(mark(shards)));
  if (missing.length === 0) return;
  mkdirSync(folder, { recursive: true });
  const fleet = makeFleet(fleetOptions(options), "bench");
  await step(`logs of ${String(WAL_HOURS)} h for N = ${missing.join(", ")}`, async (progress) => {
    const logs = missing.flatMap((shards) =>
      storesOf(folder, fleet, shards, options.cap)[0].map((store) => new Log(store)),
    );
    const pushes = pushesOf(fleet, options.interval);
    for (const [index, { gateway, time }] of pushes.entries()) {
      const series = fleet.seriesAt(gateway, time);
      const keys = series.map(({ key }) => key);
      const values = series.map((one) => valueAt(one, time));
      for (const log of logs) {
        const shard = log.store.shardOf(gateway);
        if (shard !== undefined) log.push(keys, shard, time, values);
      }
      if (index % 1_000 === 0) {
        progress(`push ${String(index)} of ${String(pushes.length)}`);
        await pause();
      }
    }
    for (const log of logs) log.finish();
    for (const shards of missing) writeFileSync(mark(shards), "");
  });
}
