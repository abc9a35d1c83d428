/** The samples of one block's time, series by series: encoded once, whatever number of TSDBs gets them. */

import { PIPELINE_LABELS } from "../../model/names";
import type { Fleet, Gateway, Series } from "../../tools/feed/fleet";
import { unitOf } from "../../tools/feed/random";
import { valueAt } from "../../tools/feed/values";
import { compareLabels, encodeChunk, type Chunk, type Labels } from "./tsdb/block";
import { CHUNK_SAMPLES, xorChunk } from "./tsdb/xor";

/** Value of the label `cluster`. */
export const CLUSTER = "bench";

/** Times at which a gateway pushes within [start, end), ms: every gateway has a phase of its own, as in life. */
export function pushTimes(seed: number, gateway: number, interval: number, start: number, end: number): number[] {
  const every = interval * 1_000;
  const phase = Math.floor(unitOf(seed, 0x9a5e, gateway) * every);
  const times: number[] = [];
  for (let time = Math.ceil((start - phase) / every) * every + phase; time < end; time += every) times.push(time);
  return times;
}

/** Labels of a series as its key writes them, `__name__` among them, with the pipeline's; sorted. */
export function labelsOf(key: string, shard: number): Labels {
  const brace = key.indexOf("{");
  const pairs = [...key.slice(brace).matchAll(/([A-Za-z_0-9]+)="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  );
  const all = [
    ["__name__", key.slice(0, brace)] as const,
    [PIPELINE_LABELS.cluster, CLUSTER] as const,
    [PIPELINE_LABELS.shard, String(shard)] as const,
    ...pairs,
  ];
  return all.sort(([left], [right]) => (left < right ? -1 : 1));
}

/** A series of a window. */
export interface WindowSeries {
  readonly gateway: Gateway;
  readonly chunks: readonly Chunk[];
  /** Its labels on a shard. */
  labels(shard: number): Labels;
}

function withShard(labels: Labels): (shard: number) => Labels {
  const at = labels.findIndex(([name]) => name === PIPELINE_LABELS.shard);
  return (shard) => labels.with(at, [PIPELINE_LABELS.shard, String(shard)]);
}

function chunksOf(series: Series, times: readonly number[]): readonly Chunk[] {
  const values = times.map((time) => valueAt(series, time));
  const chunks: Chunk[] = [];
  for (let from = 0; from < times.length; from += CHUNK_SAMPLES) {
    const to = Math.min(times.length, from + CHUNK_SAMPLES);
    const bytes = encodeChunk(xorChunk(times, values, from, to));
    chunks.push({ bytes, samples: to - from, first: times[from] ?? 0, last: times[to - 1] ?? 0 });
  }
  return chunks;
}

/** Labels of series that stay from window to window, parsed once. */
const parsed = new WeakMap<Series, Labels>();

function parsedLabels(series: Series): Labels {
  let labels = parsed.get(series);
  if (labels === undefined) parsed.set(series, (labels = labelsOf(series.key, 0)));
  return labels;
}

/** All series with samples in [start, end), in the order of a block. */
export function windowSeries(fleet: Fleet, interval: number, start: number, end: number): readonly WindowSeries[] {
  const all: { readonly gateway: Gateway; readonly labels: Labels; readonly chunks: readonly Chunk[] }[] = [];
  for (const gateway of fleet.gateways) {
    const held = new Map<string, { readonly series: Series; readonly times: number[] }>();
    for (const time of pushTimes(fleet.options.seed, gateway.index, interval, start, end)) {
      for (const series of fleet.seriesAt(gateway, time)) {
        const known = held.get(series.key);
        if (known === undefined) held.set(series.key, { series, times: [time] });
        else known.times.push(time);
      }
    }
    for (const { series, times } of held.values()) {
      all.push({ gateway, labels: parsedLabels(series), chunks: chunksOf(series, times) });
    }
  }
  all.sort((left, right) => compareLabels(left.labels, right.labels));
  return all.map(({ gateway, labels, chunks }) => ({ gateway, chunks, labels: withShard(labels) }));
}
