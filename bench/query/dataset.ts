/**
 * The data set: tools/feed's fleet, as blocks of one Prometheus and of the shards of every N. Values are a pure function
 * of (seed, series, time), so `ledger.jsonl` (the fleet) and `dataset.json` (when each gateway has samples) are enough
 * to make every sample again.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setImmediate as pause } from "node:timers/promises";
import { defaultFleet, makeFleet, type Fleet, type FleetOptions, type Gateway } from "../../tools/feed/fleet";
import { LedgerWriter } from "../../tools/feed/ledger";
import { grouped } from "../../tools/table";
import { step } from "../../tools/terminal";
import { FULL_SHARDS, type DatasetOptions } from "./options";
import { place } from "./placement";
import { BlockWriter } from "./tsdb/block";
import { pushTimes, windowSeries } from "./windows";

/** Where the samples end: far enough in the past that no block is ever younger than the clock. */
export const DATA_END = Date.UTC(2026, 0, 2);

const HOUR = 3_600_000;
const BLOCK = 2 * HOUR;

/** One TSDB: one Prometheus, or a shard of N. */
export interface Store {
  readonly folder: string;
  /** Value of the label `shard` for a gateway, undefined for one that is elsewhere. */
  shardOf(gateway: Gateway): number | undefined;
}

/** A data set on disk. */
export interface Dataset {
  readonly folder: string;
  /** First and last moment with samples, milliseconds. */
  readonly start: number;
  readonly end: number;
  /** Series of the fleet at one moment. */
  readonly series: number;
  readonly samples: number;
  /** Series of the largest shard over the mean, by N. */
  readonly peakOverMean: Readonly<Record<string, number>>;
}

/** Small data sets have gateways of 100 series, so that 8 shards still get some each. */
export function fleetOptions({ series, churn, seed }: DatasetOptions): FleetOptions {
  const unassignedSeries = Math.round((series * defaultFleet.unassignedSeries) / 105_000);
  const meanSeries = series < 30_000 ? 100 : defaultFleet.meanSeries;
  const gateways = Math.max(8, Math.round((series - unassignedSeries) / meanSeries));
  return { seed, gateways, meanSeries, unassignedSeries, churn, churnSeconds: 3_600 };
}

/** Folder name: everything that decides the samples, or where they are. */
export function datasetName(options: DatasetOptions): string {
  const { series, hours, interval, churn, seed, cap } = options;
  const placement = cap === undefined ? "ring" : `cap${String(cap)}`;
  return `s${String(series)}-h${String(hours)}-i${String(interval)}-c${String(churn)}-${placement}-seed${String(seed)}`;
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The name of a block: its time, and of what the folder's name says. */
export function ulidOf(folder: string, time: number): string {
  let text = "";
  for (let rest = time; text.length < 10; rest = Math.floor(rest / 32)) text = `${CROCKFORD[rest % 32] ?? "0"}${text}`;
  const digest = createHash("sha256").update(folder).digest();
  return text + Array.from(digest.subarray(0, 16), (byte) => CROCKFORD[byte % 32] ?? "0").join("");
}

/** Writes one block of several stores. */
function writeBlocks(fleet: Fleet, interval: number, start: number, stores: readonly Store[]): void {
  const writers = stores.map((store) => {
    const window = join(store.folder, "blocks", String(start));
    rmSync(window, { recursive: true, force: true });
    const ulid = ulidOf(basename(store.folder), start);
    return { store, writer: new BlockWriter(join(window, ulid), ulid) };
  });
  for (const series of windowSeries(fleet, interval, start, start + BLOCK)) {
    for (const { store, writer } of writers) {
      const shard = store.shardOf(series.gateway);
      if (shard !== undefined) writer.add(series.labels(shard), series.chunks);
    }
  }
  for (const { writer } of writers) writer.finish(start, start + BLOCK);
}

/** Where the blocks of a store are: `single` and shards of one N = 1 hold the same. */
export function storeFolder(dataset: string, shards: number, shard: number): string {
  return join(dataset, shards === 1 ? "single" : `n${String(shards)}-shard-${String(shard)}`);
}

/** The shards of N, and how far the largest of them is over the mean. */
export function storesOf(
  folder: string,
  fleet: Fleet,
  shards: number,
  cap: number | undefined,
): [readonly Store[], number] {
  const placement = place(
    fleet.gateways.map(({ id, size }) => ({ key: id, series: size })),
    shards,
    cap,
  );
  const stores = Array.from({ length: shards }, (_, shard) => ({
    folder: storeFolder(folder, shards, shard),
    shardOf: ({ id }: Gateway) => (placement.shardOf.get(id) === shard ? shard : undefined),
  }));
  const total = placement.series.reduce((sum, each) => sum + each, 0);
  return [stores, (Math.max(...placement.series) * shards) / total];
}

/** Makes the blocks that are missing; a finished (block, N) is marked and not made again. */
export async function ensureDataset(
  root: string,
  options: DatasetOptions,
  shardCounts: readonly number[],
): Promise<Dataset> {
  const folder = join(root, datasetName(options));
  mkdirSync(folder, { recursive: true });
  const fleet = makeFleet(fleetOptions(options), "bench");
  const ledger = join(folder, "ledger.jsonl");
  if (!existsSync(ledger)) {
    const header = { run: fleet.run, startedAt: DATA_END, intervalSeconds: options.interval, fleet: fleet.options };
    LedgerWriter.create(ledger, header).close();
  }
  const start = DATA_END - options.hours * HOUR;
  const plans = [...new Set([1, ...shardCounts])].map((shards) => {
    const [stores] = storesOf(folder, fleet, shards, options.cap);
    return { shards, stores };
  });
  const mark = (shards: number, time: number): string => join(folder, `done-n${String(shards)}-${String(time)}`);
  const windows = Array.from({ length: (options.hours * HOUR) / BLOCK }, (_, index) => start + index * BLOCK);
  const missing = windows.filter((time) => plans.some(({ shards }) => !existsSync(mark(shards, time))));
  if (missing.length > 0) {
    await step(`data set ${datasetName(options)}`, async (progress) => {
      for (const [index, time] of missing.entries()) {
        progress(`block ${String(index + 1)} of ${String(missing.length)}`);
        const todo = plans.filter(({ shards }) => !existsSync(mark(shards, time)));
        const stores = todo.flatMap((plan) => plan.stores);
        // A block of an interrupted run may be there already: it is made anew, and marked when whole.
        writeBlocks(fleet, options.interval, time, stores);
        await pause();
        for (const { shards } of todo) writeFileSync(mark(shards, time), "");
      }
    });
  }
  const series = fleet.gateways.reduce((sum, gateway) => sum + fleet.seriesAt(gateway, DATA_END - 1).length, 0);
  const samples = fleet.gateways.reduce(
    (sum, { index, size }) => sum + size * pushTimes(options.seed, index, options.interval, start, DATA_END).length,
    0,
  );
  const peakOverMean = Object.fromEntries(
    [...new Set([...FULL_SHARDS, ...shardCounts])].map((shards) => [
      String(shards),
      storesOf(folder, fleet, shards, options.cap)[1],
    ]),
  );
  const described: Dataset = { folder, start, end: DATA_END, series, samples, peakOverMean };
  writeFileSync(join(folder, "dataset.json"), `${JSON.stringify({ options, ...described }, undefined, 2)}\n`);
  return described;
}

/** One line about a data set. */
export function describeDataset({ series, samples, start, end }: Dataset): string {
  const hours = String((end - start) / HOUR);
  return `${grouped(series)} series, ${hours} h, ${grouped(samples)} samples in blocks of 2 h`;
}
