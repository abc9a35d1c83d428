/** What is asked: Magma's table, dashboard queries, variables, top lists, joins, quantiles, subqueries, long ranges. */

import type { Merge } from "./direct";
import type { Arm } from "./options";

/** A request of Prometheus' HTTP API: path below /api/v1, parameters, and the method. */
export interface ApiRequest {
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly method: "GET" | "POST";
}

/** One query of the set. */
export interface BenchQuery {
  readonly name: string;
  readonly group: string;
  /** The PromQL text or what else is asked, for the report. */
  readonly text: string;
  readonly request: ApiRequest;
  /** What each shard's Prometheus is asked directly; absent where that takes more than a simple merge. */
  readonly direct?: { readonly request: ApiRequest; readonly merge: Merge };
  /** Does each shard do its part of the work? `because` says why not. */
  readonly pushed: true | { readonly because: string };
  /** Label of the range, for Magma's table. */
  readonly magmaRange?: string;
  /** Arms that are not asked, and why. */
  readonly notAsked?: { readonly arms: readonly Arm[]; readonly because: string };
}

/** Magma's table, in minutes. */
export const MAGMA_RANGES: readonly (readonly [label: string, minutes: number])[] = [
  ["1m", 1],
  ["5m", 5],
  ["15m", 15],
  ["30m", 30],
  ["1h", 60],
  ["3h", 180],
  ["6h", 360],
  ["12h", 720],
  ["1d", 1_440],
];

/** Ranges at which plain Thanos is measured beside. */
export const COMPARED_RANGES: readonly string[] = ["15m", "1h", "6h", "12h"];
/** Ranges that one shard alone is asked for. */
export const ALONE_RANGES: readonly string[] = ["1h", "6h"];

/** Arms of plain Thanos. */
const PLAIN: readonly Arm[] = ["naive", "leaf"];

/** Rounds of plain Thanos in Magma's table, where it takes longer than the rest together. */
export const PLAIN_ROUNDS = 1;

/** Is an arm asked in a round, counted from 0? */
export function isAskedInRound({ magmaRange }: Pick<BenchQuery, "magmaRange">, arm: Arm, round: number): boolean {
  return magmaRange === undefined || round < PLAIN_ROUNDS || !PLAIN.includes(arm);
}

/** One shard alone shows what the path itself costs; Magma's query is enough for that. */
export function isAskedOf({ magmaRange }: Pick<BenchQuery, "magmaRange">, shards: number): boolean {
  return shards > 1 || (magmaRange !== undefined && ALONE_RANGES.includes(magmaRange));
}

/**
 * Is the arm's critical path measured too? Of naive fan-out only for series and what can't be pushed, where it is compared with:
 * all that its root reads has to be kept, which for Magma's query at 12 h is every sample.
 */
export function hasParts({ pushed, group }: Pick<BenchQuery, "pushed" | "group">, arm: Arm): boolean {
  return arm !== "naive" || pushed !== true || group === "series";
}

/** Plain Thanos takes several times as long as the rest together, and nothing is demanded of it. */
function plainIsLeftOut(range: string): Pick<BenchQuery, "notAsked"> {
  if (COMPARED_RANGES.includes(range)) return {};
  const because = `plain Thanos is measured at ${COMPARED_RANGES.join(", ")} only`;
  return { notAsked: { arms: PLAIN, because } };
}

const EVERYTHING = 'count({__name__=~".+"})';
/** One series a gateway: not those of an eNodeB, and not the cloud's, which are many. */
export const GATEWAY_WIDE = 'enodebID="",gatewayID!=""';
const USAGE = "ue_reported_usage_bytes_total";
const BUCKETS = "attach_duration_seconds_bucket";

/** 240 points, as a panel of a dashboard has them, but no two in one second. */
export function stepOf(minutes: number): number {
  return Math.max(1, Math.ceil((minutes * 60) / 240));
}

/** The whole query set over a data set that ends at `end` (ms) and is `hours` long; what needs a longer one is left out. */
export function querySet(end: number, hours: number): readonly BenchQuery[] {
  const seconds = end / 1_000;
  const over = (query: string, minutes: number, step = stepOf(minutes)): ApiRequest => ({
    path: "/query_range",
    parameters: { query, start: String(seconds - minutes * 60), end: String(seconds), step: String(step) },
    method: "POST",
  });
  const at = (query: string): ApiRequest => ({
    path: "/query",
    parameters: { query, time: String(seconds) },
    method: "POST",
  });
  const metadata = (path: string, minutes: number, match?: string): ApiRequest => ({
    path,
    parameters: {
      start: String(seconds - minutes * 60),
      end: String(seconds),
      ...(match === undefined ? {} : { "match[]": match }),
    },
    method: "GET",
  });
  /** A query over the last `minutes`; `how` says what the shards are asked directly, the same text by default. */
  const range = (
    group: string,
    name: string,
    text: string,
    minutes: number,
    how?: Merge & { readonly text?: string },
    pushed: BenchQuery["pushed"] = true,
  ): BenchQuery => ({
    name,
    group,
    text,
    request: over(text, minutes),
    ...(how === undefined ? {} : { direct: { request: over(how.text ?? text, minutes), merge: how } }),
    pushed,
  });
  const variable = (name: string, path: string, minutes: number, match?: string): BenchQuery => ({
    name,
    group: "variables",
    text: `/api/v1${path}${match === undefined ? "" : ` of ${match}`}`,
    request: metadata(path, minutes, match),
    direct: { request: metadata(path, minutes, match), merge: { how: "side by side" } },
    pushed: true,
  });
  const all = hours * 60;
  // Half of the data, each point over a quarter of it: 12 h and 6 h of a day.
  const long = Math.min(all / 2, 720);
  const window = String(Math.min(all / 4, 360));
  const magma = MAGMA_RANGES.filter(([, minutes]) => minutes <= all).map(([label, minutes]): BenchQuery => ({
    ...range("Magma's table", `count ${label}`, EVERYTHING, minutes, { how: "sum" }),
    magmaRange: label,
    ...plainIsLeftOut(label),
  }));
  const acrossShards = "its result is one value over all shards, which parts don't determine";
  const failures = 's6a_auth_failure_total{gatewayID!=""}';
  const successes = 's6a_auth_success_total{gatewayID!=""}';
  return [
    ...magma,
    {
      name: "count now",
      group: "dashboard",
      text: EVERYTHING,
      request: at(EVERYTHING),
      direct: { request: at(EVERYTHING), merge: { how: "sum" } },
      pushed: true,
    },
    range("dashboard", "gateways", 'count(count by (gatewayID) ({gatewayID!=""}))', 60),
    range("dashboard", "usage by network", `sum by (networkID) (rate(${USAGE}[5m]))`, 180, { how: "sum" }),
    range("dashboard", "registered", "sum(ue_registered)", 180, { how: "sum" }),
    range("dashboard", "hottest", "max by (networkID) (temperature_celsius)", 180, { how: "max" }),
    range("dashboard", "mean cpu", "avg by (networkID) (cpu_percent)", 180),
    range("dashboard", "one gateway", `rate(${USAGE}{gatewayID="gw-0001"}[5m])`, 180, { how: "side by side" }),
    variable("variable gatewayID", "/label/gatewayID/values", all),
    variable("variable gatewayID of a metric", "/label/gatewayID/values", all, "ue_registered"),
    variable("variable metrics", "/label/__name__/values", all),
    { ...variable("series of a metric", "/series", 60, "cpu_percent"), group: "series" },
    { ...variable("series of all gateways", "/series", 60, '{gatewayID!=""}'), group: "series" },
    { ...variable("series of a gateway", "/series", 60, '{gatewayID="gw-0002"}'), group: "series" },
    range("top lists", "top gateways", `topk(20, sum by (gatewayID) (rate(${USAGE}[5m])))`, 60, { how: "topk", k: 20 }),
    range("top lists", "top usage", `topk(10, rate(${USAGE}[5m]))`, 180, { how: "topk", k: 10 }),
    range("joins", "join same labels", `sum by (networkID) (rate(${failures}[5m]) / rate(${successes}[5m]))`, 180, {
      how: "sum",
    }),
    range("joins", "ratio of sums", `sum(rate(${failures}[5m])) / sum(rate(${successes}[5m]))`, 180),
    range(
      "joins",
      "join on gateway",
      `sum by (networkID) (ue_registered{${GATEWAY_WIDE}} * on (gatewayID) group_left () enb_connected{${GATEWAY_WIDE}})`,
      180,
      { how: "sum" },
      { because: "on (gatewayID) leaves out the shard: for all that the root knows, pairs are on two shards" },
    ),
    range("quantiles", "quantile 0.95 of attach", `histogram_quantile(0.95, sum by (le) (rate(${BUCKETS}[5m])))`, 180, {
      how: "histogram_quantile",
      quantile: 0.95,
      text: `sum by (le) (rate(${BUCKETS}[5m]))`,
    }),
    range("quantiles", "quantile of cpu", "quantile(0.9, cpu_percent)", 60, undefined, { because: acrossShards }),
    range(
      "subqueries",
      "peak rate of each",
      `sum by (networkID) (max_over_time(rate(ue_attach_total[5m])[30m:1m]))`,
      60,
      { how: "sum" },
    ),
    range("subqueries", "peak of the sum", `max_over_time(sum(rate(ue_attach_total[5m]))[30m:1m])`, 60, undefined, {
      because: "each shard's peak may be at another moment",
    }),
    range("long ranges", "bucket rates", `sum by (le) (rate(${BUCKETS}[${window}m]))`, long, { how: "sum" }),
    range("long ranges", "counters grow", `sum by (networkID) (increase(${USAGE}[${window}m]))`, long, { how: "sum" }),
  ];
}
