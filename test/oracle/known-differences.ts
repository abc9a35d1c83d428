/**
 * Where the query path does not answer as one Prometheus does, and why: every one is Thanos' own behaviour, or a refusal of
 * ours that keeps a wrong answer away. Each has a proof that is asked in every run: one that does not differ any more has
 * to go from this list. docs/measured/oracle.md is made of it by hand.
 *
 * Not compared at all (compare.ts): where in a query a warning comes from and which shard sent it, and PromQL infos, which
 * Thanos takes for warnings.
 */
import { duration } from "./fleet";
import type { FullAnswer } from "./compare";
import type { QueryCase } from "./query-case";

/** A difference that was found. */
export interface Found {
  readonly asked: QueryCase;
  readonly wanted: FullAnswer;
  readonly given: FullAnswer;
  /** In words, from compare.ts. */
  readonly text: string;
}

export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  explains(found: Found): boolean;
  /** A query that shows it. @param start Of the fleet's data, seconds since the epoch. */
  proof(start: number): Omit<QueryCase, "origin">;
}

function isRefused({ given, wanted }: Found, pattern: RegExp): boolean {
  return wanted.status === "success" && given.status === "error" && pattern.test(given.error ?? "");
}

const whole = (start: number) => ({ start: start + 1800, end: start + duration - 600, step: 600 });

export const knownDifferences: readonly KnownDifference[] = [
  {
    name: "newer PromQL is refused",
    reason: "Thanos 0.42 parses with Prometheus 3.9's parser; the shards' Prometheus is newer.",
    explains: (found) => isRefused(found, /parse error/) && !isRefused(found, /unexpected character: '\.'/),
    proof: (start) => ({ query: "sum(sum_over_time(cpu[1m+1m]))", times: { end: start + 9000 } }),
  },
  {
    name: "UTF-8 names in groupings are refused",
    reason: "The root writes them without quotes into the query for the shards.",
    explains: (found) => isRefused(found, /unexpected character: '\.'/),
    proof: (start) => ({ query: 'count by ("site.name") (enb_up)', times: { end: start + 9000 } }),
  },
  {
    name: "series that take turns under one name are refused",
    reason: "Thanos' engine looks for equal label sets over the whole range, Prometheus at each step.",
    explains: (found) => isRefused(found, /vector cannot contain metrics with the same labelset/),
    proof: (start) => ({
      query:
        'time() >= bool (((delay_sum{gatewayID=~"g1?0"} offset 10m) unless (flaky > 60)) ' +
        "or ignoring (network, port) stddev_over_time(odd[20m]))",
      times: { start, end: start + 18_000, step: 1800 },
    }),
  },
  {
    name: "parts of a second",
    reason: "Thanos sends start, end and step to the shards in whole seconds. A step below one second is refused.",
    explains: ({ asked: { times } }) =>
      [times.start, times.end, times.step].some((time) => time !== undefined && !Number.isInteger(time)),
    proof: (start) => ({ query: "sum(count_over_time(cpu[30s]))", times: { end: start + 15_000.7 } }),
  },
  {
    name: "lookback_delta of a request",
    reason: "Thanos does not send it on to the shards.",
    explains: ({ asked: { more } }) => more?.["lookback_delta"] !== undefined,
    proof: (start) => ({
      query: "count(cpu)",
      times: { end: start + duration + 1200 },
      more: { lookback_delta: "30m" },
    }),
  },
  {
    name: "ties of topk and bottomk",
    reason: "Which of several equal series is taken depends on their order, which PromQL leaves open.",
    explains: ({ asked: { query, origin } }) => origin !== "generated" && /\b(?:topk|bottomk|limitk)\b/.test(query),
    proof: (start) => ({ query: "topk(2, enb_up)", times: { end: start + 15_000 } }),
  },
  {
    name: "selectors of external labels only, where the leaf answers",
    reason: "A sidecar refuses them: without external labels no matcher is left.",
    explains: (found) => isRefused(found, /no matchers specified/),
    proof: (start) => ({ query: 'count({cluster="main",shard="0"})', times: whole(start) }),
  },
  {
    name: "resets() where the leaf answers is refused",
    reason: "Thanos takes resets out of counters before it merges them (thanos-io/thanos#3644): it would be too small.",
    explains: (found) => isRefused(found, /resets\(\) would be too small here/),
    proof: (start) => ({ query: "sum(resets(ue_total[6h]))", times: { end: start + duration } }),
  },
  {
    name: "matchers on prometheus_replica where the leaf answers are refused",
    reason:
      "No series of a Prometheus has this label; behind a leaf a matcher on it would leave a replica's samples out.",
    explains: (found) => isRefused(found, /prometheus_replica is no label of any series/),
    proof: (start) => ({ query: 'count(cpu{prometheus_replica=""})', times: whole(start) }),
  },
  {
    name: "rate and increase right after a counter's reset, where the leaf answers",
    reason:
      "With resets taken out, Prometheus does not see that the counter began at zero and extrapolates a little further.",
    explains: ({ asked: { query } }) => /\b(?:rate|irate|increase)\((?:ue_total|\{__name__="ue_total")/.test(query),
    proof: (start) => ({
      query: 'rate(ue_total{gatewayID="g0"}[10m])',
      times: { start: start + 1800, end: start + 18_000, step: 900 },
    }),
  },
  {
    name: "a series that is first a float and then a native histogram, over a range",
    reason: "Thanos' root repeats the last histogram where later samples are floats again.",
    explains: ({ asked: { query, times } }) => times.step !== undefined && query.includes("mixed"),
    proof: (start) => ({
      query: 'mixed{gatewayID="g0"}',
      times: { start: start + 1200, end: start + 15_600, step: 600 },
    }),
  },
  {
    name: "sums of native histograms of two kinds on different shards",
    reason: "Thanos' engine adds what Prometheus refuses to add.",
    explains: ({ asked: { query, origin } }) =>
      /\b(?:sum|avg)\(split\)/.test(query) || (origin === "native_histograms.test 34" && query.includes("(metric)")),
    proof: (start) => ({ query: "sum(split)", times: { end: start + 15_000 } }),
  },
  {
    name: "sums of numbers that cancel each other out",
    reason: "Each shard adds up its own part first: what is 16 digits smaller than the rest is lost.",
    explains: ({ asked: { query, origin } }) =>
      /\bhuge\b/.test(query) ||
      (origin === "aggregators.test 10" && query.includes('data{test="ten"}')) ||
      (origin.startsWith("native_histograms.test") && /\bhistogram_sum(?:_over_time_\w+)?\b[^(]/.test(query)),
    proof: (start) => ({ query: "sum(huge)", times: { end: start + 9000 } }),
  },
  {
    name: "warning of label_replace",
    reason:
      "Thanos warns when an external label is written, because the query is then not distributed; it is complete.",
    explains: ({ text }) => /^warnings .*rewriting an external label/.test(text),
    proof: (start) => ({
      query: 'count(label_replace(cpu, "shard", "x$1", "shard", "(.*)"))',
      times: { end: start + 9000 },
    }),
  },
  {
    name: "no warning of sort() over a range",
    reason: "Thanos' engine drops it: it has no effect.",
    explains: ({ text }) => text.startsWith("warnings ") && text.includes("sort is ineffective for range queries"),
    proof: (start) => ({ query: "sort(cpu)", times: whole(start) }),
  },
  {
    name: "no warning about counter resets of native histograms",
    reason: "What a histogram knows of its resets does not go over Thanos' Query API. The numbers are the same.",
    explains: ({ text }) =>
      /^warnings .* instead of .*(?:conflicting counter resets|histogram metric is not a gauge)/.test(text),
    proof: (start) => ({
      query: 'sum(histogram_sum(sum without (shard, gatewayID) (avg_over_time(latency{network="n2"}[1h]))))',
      times: { start, end: start + 14_400, step: 1800 },
    }),
  },
];

/** The entry that explains a difference; undefined: it is a fault. */
export function knownDifference(found: Found): KnownDifference | undefined {
  return knownDifferences.find((each) => each.explains(found));
}
