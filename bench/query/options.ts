/** What `make bench-query` measures: its flags, read strictly. */

import { parseArgs } from "node:util";
import { say, UserError } from "../../tools/terminal";

/** What is compared. `single` is one Prometheus without shards; the others are ways to ask N shards. */
export const ARMS = ["single", "naive", "leaf", "direct", "design", "frontend"] as const;
export type Arm = (typeof ARMS)[number];

/**
 * Arms whose answers must be one Prometheus'. Those of plain Thanos need not be: it takes the resets out of a counter
 * before `rate` and `increase` see it (pkg/query/iter.go, Aggr_COUNTER), so that the extrapolation to the counter's zero
 * is another one after a reset.
 */
export const EXACT_ARMS: readonly Arm[] = ["direct", "design", "frontend"];

/** How each arm is called in the report. */
export const ARM_TITLES: Readonly<Record<Arm, string>> = {
  single: "one Prometheus",
  naive: "naive fan-out",
  leaf: "leaf per shard",
  direct: "asked directly",
  design: "this design",
  frontend: "frontend, warm",
};

/** The data set: equal options give equal samples. */
export interface DatasetOptions {
  /** Series of all gateways and of the cloud together, about. */
  readonly series: number;
  readonly hours: number;
  /** Seconds between samples of a series. */
  readonly interval: number;
  /** Share of a gateway's series that are replaced by new ones every hour. */
  readonly churn: number;
  readonly seed: number;
  /** Most series of a shard above the mean; undefined leaves the ring as it falls. */
  readonly cap: number | undefined;
}

/** Numbers of shards that a whole report tells of. */
export const FULL_SHARDS: readonly number[] = [1, 2, 4, 8];

/** A whole run. */
export interface Options {
  readonly dataset: DatasetOptions;
  readonly shards: readonly number[];
  readonly arms: readonly Arm[];
  /** Most rounds of a query. */
  readonly repetitions: number;
  /** Time for measuring, without making data and starting programs. */
  readonly minutes: number;
  /** Only queries whose name contains one of these texts; empty: all. */
  readonly only: readonly string[];
  /** Forget what an earlier run measured (not the data set). */
  readonly isFresh: boolean;
  /** Restart each shard's Prometheus with a log to replay? */
  readonly withReplay: boolean;
  /** A services bundle to take the adapter from instead of building this tree's. */
  readonly services: string | undefined;
}

const help = `Usage: make bench-query ARGS='...'
  --series <n>        about so many series (default 105000: Magma's 347 gateways)
  --hours <n>         hours of samples, a multiple of 2 (default 24)
  --interval <s>      seconds between samples (default 60)
  --churn <share>     share of a gateway's series that are new every hour, 0 to 0.9 (default 0)
  --seed <n>          another fleet, other values (default 1)
  --cap <n>           move gateways until no shard is more than n series over the mean, as a placement would
                      (default: the plain ring)
  --n <list>          numbers of shards (default 1,2,4,8)
  --arms <list>       of ${ARMS.join(",")} (single is always there)
  --repetitions <n>   of every arm of every query, in turn, at most (default 5)
  --minutes <n>       time for measuring all that is asked for: each query has a share of it and repeats while that lasts,
                      once at least (default 30; about 50 give 5 repetitions of everything)
  --only <texts>      only queries whose name contains one of these, separated by commas
  --no-replay         no restarts with a log to replay
  --services <file>   take the adapter from this services bundle, to compare two builds (default: this tree's)
  --fresh             measure again what an earlier run has finished
  --quick             a smoke run: 1500 series, 4 h, N = 2, one repetition, a part of the queries
What is measured is kept, so that an interrupted run goes on, and a run may be split: --n 2, then --n 4, and so on. The report
goes to docs/measured/ when the run is at least as large as the defaults, with all that earlier runs of the same sources have
measured and a list of what they have not; else to the data set's folder in .state/bench-query/.`;

/** The part of the queries that a smoke run asks: one of each kind. */
const QUICK_QUERIES = ["count 1m", "count 1h", "variable gatewayID", "series", "top", "quantile 0.95", "join same"];

function numberOf(name: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= minimum && value <= maximum) return value;
  throw new UserError(`--${name} ${text}: must be a number from ${String(minimum)} to ${String(maximum)}`);
}

function wholeOf(name: string, text: string, minimum: number, maximum: number): number {
  const value = numberOf(name, text, minimum, maximum);
  if (Number.isInteger(value)) return value;
  throw new UserError(`--${name} ${text}: must be a whole number`);
}

function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function armsOf(text: string): readonly Arm[] {
  const chosen = new Set(listOf(text));
  for (const each of chosen) {
    if (!ARMS.some((arm) => arm === each)) {
      throw new UserError(`--arms ${each}: is no arm`, `name some of ${ARMS.join(", ")}`);
    }
  }
  return ARMS.filter((arm) => arm === "single" || chosen.has(arm));
}

/**
 * Reads the command line.
 * @returns the options, or undefined when help was asked for and printed.
 */
export function readOptions(argv: readonly string[]): Options | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      series: text,
      hours: text,
      interval: text,
      churn: text,
      seed: text,
      cap: text,
      n: text,
      arms: text,
      repetitions: text,
      minutes: text,
      only: text,
      services: text,
      "no-replay": { type: "boolean", default: false },
      fresh: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    say(help);
    return undefined;
  }
  const isQuick = values.quick;
  const hours = wholeOf("hours", values.hours ?? (isQuick ? "4" : "24"), 2, 24 * 31);
  if (hours % 2 !== 0) throw new UserError(`--hours ${String(hours)}: must be a multiple of 2, the length of a block`);
  return {
    dataset: {
      series: wholeOf("series", values.series ?? (isQuick ? "1500" : "105000"), 500, 5_000_000),
      hours,
      interval: wholeOf("interval", values.interval ?? "60", 1, 120),
      churn: numberOf("churn", values.churn ?? "0", 0, 0.9),
      seed: wholeOf("seed", values.seed ?? "1", 0, 2 ** 31 - 1),
      cap: values.cap === undefined ? undefined : wholeOf("cap", values.cap, 0, 1_000_000),
    },
    shards: listOf(values.n ?? (isQuick ? "2" : FULL_SHARDS.join(","))).map((each) => wholeOf("n", each, 1, 16)),
    arms: armsOf(values.arms ?? ARMS.join(",")),
    repetitions: wholeOf("repetitions", values.repetitions ?? (isQuick ? "1" : "5"), 1, 1_000),
    minutes: numberOf("minutes", values.minutes ?? "30", 0, 1_440),
    only: values.only === undefined ? (isQuick ? QUICK_QUERIES : []) : listOf(values.only),
    isFresh: values.fresh,
    withReplay: !values["no-replay"] && values.only === undefined,
    services: values.services,
  };
}
