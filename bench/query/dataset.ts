/**
 * The data set: tools/feed's fleet, as blocks of one Prometheus and of the shards of every N. Values are a pure function
 * of (seed, series, time), so `ledger.jsonl` (the fleet) and `dataset.json` (when each gateway has samples) are enough
 * to make every sample again.
 */

import { createWriteStream, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { PIPELINE_LABELS } from "../../model/names";
import { run } from "../../tools/child";
import { defaultFleet, makeFleet, type Fleet, type FleetOptions, type Gateway } from "../../tools/feed/fleet";
import { LedgerWriter } from "../../tools/feed/ledger";
import { unitOf } from "../../tools/feed/random";
import { formatValue } from "../../tools/feed/render";
import { valueAt } from "../../tools/feed/values";
import { grouped } from "../../tools/table";
import { step, UserError } from "../../tools/terminal";
import type { DatasetOptions } from "./options";
import { place } from "./placement";

/** Where the samples end: far enough in the past that no block is ever younger than the clock. */
export const DATA_END = Date.UTC(2026, 0, 2);
/** Value of the label `cluster`. */
export const CLUSTER = "bench";

const HOUR = 3_600_000;
const BLOCK = 2 * HOUR;
/** promtool runs beside the generator: one block each. */
const PROMTOOLS = 2;

/** One TSDB: one Prometheus, or a shard of N. */
interface Store {
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

/** Times at which a gateway pushes within [start, end), ms: every gateway has a phase of its own, as in life. */
export function pushTimes(seed: number, gateway: number, interval: number, start: number, end: number): number[] {
  const every = interval * 1_000;
  const phase = Math.floor(unitOf(seed, 0x9a5e, gateway) * every);
  const times: number[] = [];
  for (let time = Math.ceil((start - phase) / every) * every + phase; time < end; time += every) times.push(time);
  return times;
}

function withLabels(key: string, shard: number): string {
  const brace = key.indexOf("{") + 1;
  const rest = key.slice(brace);
  const added = `${PIPELINE_LABELS.cluster}="${CLUSTER}",${PIPELINE_LABELS.shard}="${String(shard)}"`;
  return `${key.slice(0, brace)}${added}${rest === "}" ? "" : ","}${rest}`;
}

/** Writes one block's samples of several stores as OpenMetrics, making every value once; gives the number of samples. */
async function writeWindow(
  fleet: Fleet,
  interval: number,
  start: number,
  stores: readonly Store[],
  file: (store: Store) => string,
): Promise<number> {
  const outputs = stores.map((store) => createWriteStream(file(store), { highWaterMark: 1 << 22 }));
  let samples = 0;
  for (const gateway of fleet.gateways) {
    const held = stores.map((store) => store.shardOf(gateway));
    let known: readonly unknown[] = [];
    let prefixes: readonly (readonly string[])[] = [];
    const texts = stores.map(() => [] as string[]);
    for (const time of pushTimes(fleet.options.seed, gateway.index, interval, start, start + BLOCK)) {
      const series = fleet.seriesAt(gateway, time);
      if (series !== known) {
        known = series;
        prefixes = held.map((shard) =>
          shard === undefined ? [] : series.map(({ key }) => `${withLabels(key, shard)} `),
        );
      }
      const seconds = (time / 1_000).toFixed(3);
      const tails = series.map((one) => `${formatValue(valueAt(one, time))} ${seconds}\n`);
      samples += tails.length;
      prefixes.forEach((lines, index) => {
        if (lines.length === 0) return;
        texts[index]?.push(lines.map((line, position) => `${line}${tails[position] ?? ""}`).join(""));
      });
    }
    for (const [index, output] of outputs.entries()) {
      const text = texts[index] ?? [];
      if (text.length > 0 && !output.write(text.join(""))) await once(output, "drain");
    }
  }
  await Promise.all(
    outputs.map(async (output) => {
      output.end("# EOF\n");
      await once(output, "close");
    }),
  );
  return samples;
}

async function makeBlock(input: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const finished = await run("promtool", ["tsdb", "create-blocks-from", "openmetrics", "--quiet", input, folder]);
  if (finished.code !== 0) {
    throw new UserError(`promtool made no block of ${input}: ${finished.stdout}\n${finished.stderr}`.trimEnd());
  }
  rmSync(input);
}

/** Runs `work` over `items`, at most `limit` at a time. */
async function inParallel<T>(items: readonly T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/** Where the blocks of a store are: `single` and shards of one N = 1 hold the same. */
export function storeFolder(dataset: string, shards: number, shard: number): string {
  return join(dataset, shards === 1 ? "single" : `n${String(shards)}-shard-${String(shard)}`);
}

function storesOf(folder: string, fleet: Fleet, shards: number, cap: number | undefined): [readonly Store[], number] {
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
    const [stores, peak] = storesOf(folder, fleet, shards, options.cap);
    return { shards, stores, peak };
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
        for (const store of stores) mkdirSync(join(store.folder, "input"), { recursive: true });
        const file = (store: Store): string => join(store.folder, "input", `${String(time)}.om`);
        await writeWindow(fleet, options.interval, time, stores, file);
        // A block of an interrupted run may be there already: each is made in a folder of its own and marked when whole.
        await inParallel(stores, PROMTOOLS, async (store) => {
          const block = join(store.folder, "blocks", String(time));
          rmSync(block, { recursive: true, force: true });
          await makeBlock(file(store), block);
        });
        for (const { shards } of todo) writeFileSync(mark(shards, time), "");
      }
    });
  }
  const series = fleet.gateways.reduce((sum, gateway) => sum + fleet.seriesAt(gateway, DATA_END - 1).length, 0);
  const samples = fleet.gateways.reduce(
    (sum, { index, size }) => sum + size * pushTimes(options.seed, index, options.interval, start, DATA_END).length,
    0,
  );
  const peakOverMean = Object.fromEntries(plans.map(({ shards, peak }) => [String(shards), peak]));
  const described: Dataset = { folder, start, end: DATA_END, series, samples, peakOverMean };
  writeFileSync(join(folder, "dataset.json"), `${JSON.stringify({ options, ...described }, undefined, 2)}\n`);
  return described;
}

/** One line about a data set. */
export function describeDataset({ series, samples, start, end }: Dataset): string {
  const hours = String((end - start) / HOUR);
  return `${grouped(series)} series, ${hours} h, ${grouped(samples)} samples in blocks of 2 h`;
}
