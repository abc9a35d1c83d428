/** The comparisons: what the root answers beside what the ledger says. */

import type { Labels, PrometheusApi, QueryResult, VectorSample } from "../prometheus-api";
import { limiter } from "../feed/feed";
import type { Gateway } from "../feed/fleet";
import type { ExpectedSum, Instant, Moment } from "./expected";
import { expectIncreases, expectInstant, expectQuantile, expectSamples } from "./expected";
import type { CheckReport } from "./report";
import { Comparison } from "./report";
import type { Stored } from "./stored";

/** How a check is made. */
export interface CheckOptions {
  /** The root's lookback (`query.lookbackDelta`) in ms. */
  readonly lookback: number;
  /** Window of rate and increase in ms. */
  readonly range: number;
  /** Largest difference of a sum, relative to the sum of the magnitudes it was made of. */
  readonly tolerance: number;
  /** Longest window (ms) that one query of the sample check reads. */
  readonly chunk: number;
  /** rate, increase and quantiles are compared; a series that changed its shard within the range has other ones. */
  readonly rates: boolean;
}

/** The feed's rounding-free values leave only the order of summation, about 1e-13 here. */
export const defaultCheckOptions: CheckOptions = {
  lookback: 300_000,
  range: 300_000,
  tolerance: 1e-9,
  chunk: 1_800_000,
  rates: true,
};

/** Counters and histograms whose rates are checked. */
export const counters: readonly string[] = ["ue_attach_total", "session_create_total"];
const histograms = ["attach_duration_seconds", "checkin_duration_seconds"];
const quantiles = [0.5, 0.9, 0.99];

/** Labels that the pipeline adds; the rest must be exactly what was pushed. */
const pipelineLabels = new Set(["cluster", "shard", "prometheus_replica"]);

/** The key (as the feed writes it) of a series in an answer. */
export function keyOfLabels(labels: Labels): string {
  const pairs = Object.entries(labels)
    .filter(([name]) => name !== "__name__" && !pipelineLabels.has(name))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}="${value}"`);
  return `${labels.__name__ ?? ""}{${pairs.join(",")}}`;
}

/** Thanos puts PromQL's infos among the warnings; only the others speak of missing parts. */
function warn(comparison: Comparison, result: { readonly warnings: readonly string[] }): void {
  for (const warning of result.warnings) {
    if (!warning.includes("PromQL info")) comparison.mismatch("warning", "no warning", warning);
  }
}

function compareSums(
  comparison: Comparison,
  samples: readonly VectorSample[],
  label: string,
  expected: ReadonlyMap<string, ExpectedSum>,
  skip: ReadonlySet<string>,
  tolerance: number,
): void {
  const answered = new Map(samples.map(({ labels, value }) => [labels[label] ?? "", value]));
  for (const [key, { value, magnitude }] of expected) {
    if (skip.has(key)) continue;
    const got = answered.get(key);
    const what = `${label}="${key}"`;
    if (got === undefined) comparison.mismatch(what, String(value), "nothing");
    else if (Math.abs(got - value) <= tolerance * magnitude) comparison.ok();
    else comparison.mismatch(what, String(value), String(got));
  }
  for (const [key, value] of answered) {
    if (!expected.has(key) && !skip.has(key)) comparison.mismatch(`${label}="${key}"`, "nothing", String(value));
  }
  if (skip.size > 0) comparison.note(`${String(skip.size)} left out: pushes that may or may not be stored`);
}

/** Everything that one check needs. */
export interface CheckContext {
  readonly api: PrometheusApi;
  readonly stored: Stored;
  readonly moment: Moment;
  readonly options: CheckOptions;
}

const selector = ({ stored }: CheckContext, more = ""): string => `{feed_run="${stored.fleet.run}"${more}}`;

/** How many series of the run the root counts, and how many of them are one series on two shards. */
export async function countSeries(context: CheckContext): Promise<{
  readonly counted: number;
  readonly distinct: number;
  readonly query: string;
  readonly warnings: readonly string[];
}> {
  const { api, moment } = context;
  const query = `count(${selector(context)})`;
  // `without` drops the metric's name, which two series may differ in alone.
  const named = `label_replace(${selector(context)}, "metric_name", "$1", "__name__", "(.+)")`;
  const counted = await api.vector(query, moment.at);
  const distinct = await api.number(`count(count without (cluster, shard) (${named}))`, moment.at);
  return { counted: counted.samples[0]?.value ?? 0, distinct, query, warnings: counted.warnings };
}

async function checkInstant(context: CheckContext, expected: Instant): Promise<readonly CheckReport[]> {
  const { api, moment, options } = context;
  const empty = new Set<string>();
  const byGateway = `by (gatewayID) (${selector(context)})`;
  const count = new Comparison("series per gateway", `count ${byGateway}`);
  const counts = new Map([...expected.countByGateway].map(([id, value]) => [id, { value, magnitude: 0 }]));
  const answeredCounts = await api.vector(`count ${byGateway}`, moment.at);
  warn(count, answeredCounts);
  compareSums(count, answeredCounts.samples, "gatewayID", counts, expected.uncertain, 0);
  const total = new Comparison("sum per gateway", `sum ${byGateway}`);
  const answeredSums = await api.vector(`sum ${byGateway}`, moment.at);
  warn(total, answeredSums);
  compareSums(total, answeredSums.samples, "gatewayID", expected.sumByGateway, expected.uncertain, options.tolerance);
  const byName = new Comparison("sum per metric", `sum by (__name__) (${selector(context)})`);
  if (expected.uncertain.size > 0) {
    byName.note(`left out: ${String(expected.uncertain.size)} gateways have pushes that may or may not be stored`);
  } else {
    const answered = await api.vector(`sum by (__name__) (${selector(context)})`, moment.at);
    warn(byName, answered);
    compareSums(byName, answered.samples, "__name__", expected.sumByName, empty, options.tolerance);
  }
  return [count.report(), total.report(), byName.report()];
}

async function checkRates(context: CheckContext): Promise<readonly CheckReport[]> {
  const { api, stored, moment, options } = context;
  const reports: CheckReport[] = [];
  const window = `[${String(options.range)}ms]`;
  for (const [index, metric] of counters.entries()) {
    const isRate = index % 2 === 0;
    const query = `sum by (gatewayID) (${isRate ? "rate" : "increase"}(${metric}${selector(context)}${window}))`;
    const comparison = new Comparison(`${isRate ? "rate" : "increase"} of ${metric}`, query);
    const { byGateway, uncertain } = expectIncreases(stored, moment, metric, options.range);
    const divisor = isRate ? options.range / 1_000 : 1;
    const scaled = new Map(
      [...byGateway].map(([id, { value, magnitude }]) => [
        id,
        { value: value / divisor, magnitude: magnitude / divisor },
      ]),
    );
    const answered = await api.vector(query, moment.at);
    warn(comparison, answered);
    compareSums(comparison, answered.samples, "gatewayID", scaled, uncertain, options.tolerance);
    reports.push(comparison.report());
  }
  for (const metric of histograms) {
    const inner = `sum by (le) (increase(${metric}_bucket${selector(context)}${window}))`;
    const comparison = new Comparison(`quantiles of ${metric}`, `histogram_quantile(q, ${inner})`);
    const increases = expectIncreases(stored, moment, `${metric}_bucket`, options.range);
    if (increases.uncertain.size > 0) {
      comparison.note(
        `left out: ${String(increases.uncertain.size)} gateways have pushes that may or may not be stored`,
      );
    } else {
      for (const q of quantiles) {
        const expected = expectQuantile(increases, q);
        const answered = await api.vector(`histogram_quantile(${String(q)}, ${inner})`, moment.at);
        warn(comparison, answered);
        const got = answered.samples[0]?.value;
        const nothing = increases.byBound.size === 0;
        // Interpolation divides small differences of counts, so rounding shows more than in a sum.
        const close =
          got !== undefined && (Object.is(got, expected) || Math.abs(got - expected) <= 1e-6 * Math.abs(expected));
        if (nothing ? got === undefined : close) comparison.ok();
        else
          comparison.mismatch(
            `q=${String(q)}`,
            nothing ? "nothing" : String(expected),
            got === undefined ? "nothing" : String(got),
          );
      }
    }
    reports.push(comparison.report());
  }
  return reports;
}

/** The aggregates at one moment; sums and rates only while no series is answered twice. */
export async function checkAggregates(
  context: CheckContext,
  allowDuplicates: boolean,
): Promise<{ readonly checks: readonly CheckReport[]; readonly duplicates: number }> {
  const { stored, moment, options } = context;
  const expected = expectInstant(stored, moment, options.lookback);
  const { counted, distinct, query, warnings } = await countSeries(context);
  const duplicates = counted - distinct;
  const comparison = new Comparison("series", query);
  warn(comparison, { warnings });
  const compared = allowDuplicates ? distinct : counted;
  const { least, most } = expected.count;
  const range = least === most ? String(least) : `${String(least)} to ${String(most)}`;
  if (compared >= least && compared <= most) comparison.ok();
  else comparison.mismatch("count", range, `${String(counted)} (${String(distinct)} distinct)`);
  if (duplicates !== 0) {
    comparison.note("sums and rates are not compared while a series is answered by two shards");
    return { checks: [comparison.report()], duplicates };
  }
  const rest = [...(await checkInstant(context, expected)), ...(options.rates ? await checkRates(context) : [])];
  return { checks: [comparison.report(), ...rest], duplicates };
}

/** Gateways that one query of the sample check reads together. */
const batchSize = 16;

/**
 * Every acknowledged sample after `start` is readable, with exactly its timestamp and value, and nothing else is:
 * asked as range vectors, some gateways at a time, shards taken together.
 */
export async function checkSamples(
  context: CheckContext,
  start: number,
  onProgress: (note: string) => void,
): Promise<CheckReport> {
  const { api, stored, moment, options } = context;
  const comparison = new Comparison("samples", `{feed_run="${stored.fleet.run}",gatewayID=~"..."}[...]`);
  const limited = limiter(2);
  const { gateways } = stored.fleet;
  let done = 0;
  let twice = 0;
  const readBatch = async (batch: readonly Gateway[]): Promise<void> => {
    const ids = batch.map(({ id }) => id).join("|");
    for (let end = moment.at; end > start; end -= options.chunk) {
      const length = Math.min(options.chunk, end - start);
      const query = `${selector(context, `,gatewayID=~"${ids}"`)}[${String(length)}ms]`;
      const answer = await api.query(query, end);
      warn(comparison, answer);
      const expected = batch.map((one) => expectSamples(stored, one, end - length, end, moment.settledBefore));
      twice += compareSamples(comparison, answer, new Map(expected.flatMap((one) => [...one])));
    }
    done += batch.length;
    onProgress(`samples of ${String(done)}/${String(gateways.length)} gateways read back`);
  };
  const batches = Array.from({ length: Math.ceil(gateways.length / batchSize) }, (_, index) =>
    gateways.slice(index * batchSize, (index + 1) * batchSize),
  );
  await Promise.all(batches.map((batch) => limited(() => readBatch(batch))));
  if (twice > 0) comparison.note(`${String(twice)} samples are on two shards`);
  return comparison.report();
}

type ExpectedSamples = ReturnType<typeof expectSamples>;

/** Compares one gateway's samples; gives the number of samples that came from two shards. */
export function compareSamples(comparison: Comparison, answer: QueryResult, expected: ExpectedSamples): number {
  const answered = new Map<string, Map<number, number>>();
  let twice = 0;
  for (const { labels, values } of answer.type === "matrix" ? answer.series : []) {
    const key = keyOfLabels(labels);
    const points = answered.get(key) ?? new Map<number, number>();
    answered.set(key, points);
    for (const [timestamp, value] of values) {
      const other = points.get(timestamp);
      if (other === undefined) points.set(timestamp, value);
      else if (Object.is(other, value)) twice += 1;
      else comparison.mismatch(`${key} @ ${String(timestamp)}`, "one value", `${String(other)} and ${String(value)}`);
    }
  }
  for (const [key, { must, may }] of expected) {
    const points = answered.get(key) ?? new Map<number, number>();
    for (const [timestamp, value] of must) {
      const got = points.get(timestamp);
      if (got === value) comparison.ok();
      else
        comparison.mismatch(
          `${key} @ ${String(timestamp)}`,
          String(value),
          got === undefined ? "nothing" : String(got),
        );
      points.delete(timestamp);
    }
    for (const [timestamp, value] of may) {
      const got = points.get(timestamp);
      if (got !== undefined && got !== value) {
        comparison.mismatch(`${key} @ ${String(timestamp)}`, `${String(value)} or nothing`, String(got));
      }
      points.delete(timestamp);
    }
  }
  for (const [key, points] of answered) {
    for (const [timestamp, value] of points) {
      comparison.mismatch(`${key} @ ${String(timestamp)}`, "nothing", String(value));
    }
  }
  return twice;
}
