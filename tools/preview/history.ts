/** The history of a shard, asked through the root: what becomes unqueryable when the shard is no longer deployed. */

import { shardName } from "../../model/names";
import type { PrometheusApi } from "../prometheus-api";

/** What a shard holds, found with coarse steps first and then with a hundredth of them at both ends. */
export interface ShardHistory {
  readonly shard: number;
  /** Times (ms) of the oldest and newest samples; undefined when the shard has none in the window that was asked. */
  readonly span: { readonly oldest: number; readonly newest: number } | undefined;
  /** Most series that the shard had within one coarse step. */
  readonly series: number;
  /** Length (ms) of the window that was asked. */
  readonly window: number;
}

const coarseSteps = 100;

/**
 * Points at multiples of the step (s) that enclose start and end (ms): the query frontend moves both down to multiples,
 * and would leave out what is younger than the last one.
 */
async function points(
  api: PrometheusApi,
  query: string,
  start: number,
  end: number,
  step: number,
): Promise<readonly (readonly [number, number])[]> {
  const length = step * 1_000;
  const result = await api.queryRange(
    query,
    Math.floor(start / length) * length,
    Math.ceil(end / length) * length,
    step,
  );
  return result.type === "matrix" ? (result.series[0]?.values ?? []) : [];
}

/**
 * Asks for a shard's history within `window` ms before `now`. `last_over_time` over a whole step, so that no sample
 * falls between two steps; `__name__` because a sidecar refuses a query by external labels alone.
 */
export async function askHistory(
  api: PrometheusApi,
  shard: number,
  now: number,
  window: number,
): Promise<ShardHistory> {
  // Without what its Prometheus scrapes of itself, which goes on as long as it runs: that is nobody's history.
  const selector = `{__name__=~".+",shard="${String(shard)}",instance!~"(prometheus|hub)-${shardName(shard)}-[ab]"}`;
  const step = Math.max(60, Math.ceil(window / coarseSteps / 1_000));
  const coarse = await points(api, `count(last_over_time(${selector}[${String(step)}s]))`, now - window, now, step);
  const first = coarse[0];
  const last = coarse.at(-1);
  if (first === undefined || last === undefined) return { shard, span: undefined, series: 0, window };
  const series = Math.max(...coarse.map(([, count]) => count));
  const fineStep = Math.max(60, Math.ceil(step / 100));
  const fine = `count(last_over_time(${selector}[${String(fineStep)}s]))`;
  const early = await points(api, fine, first[0] - step * 1_000, first[0], fineStep);
  const late = await points(api, fine, last[0] - step * 1_000, last[0], fineStep);
  const oldest = (early[0]?.[0] ?? first[0]) - fineStep * 1_000;
  const newest = Math.min(late.at(-1)?.[0] ?? last[0], now);
  return { shard, span: { oldest, newest }, series, window };
}

const minute = (timestamp: number): string => `${new Date(timestamp).toISOString().slice(0, 16)}Z`;

/** The history as a sentence. */
export function describeHistory(history: ShardHistory): string {
  const name = `shard ${String(history.shard)}`;
  const { span } = history;
  const days = (history.window / 86_400_000).toFixed(history.window < 86_400_000 ? 2 : 0);
  if (span === undefined) return `${name}: no samples within ${days} days: nothing becomes unqueryable`;
  const count = history.series.toLocaleString("en-US");
  return `${name}: samples from about ${minute(span.oldest)} to ${minute(span.newest)}, up to ${count} series at a time, become unqueryable`;
}
