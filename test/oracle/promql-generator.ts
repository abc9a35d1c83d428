/** Generates PromQL that fits the fleet's data, so that most of it has an answer. */
import fc from "fast-check";
import type { Times } from "../unit/services/adapter/answers";
import { duration } from "./fleet";
import { Chooser, gatewayDimensions, modifiers, natives, ranges } from "./promql-parts";
import { VectorGenerator } from "./promql-vectors";
import type { QueryCase } from "./query-case";

/** Whole queries. */
class QueryGenerator {
  readonly vectors: VectorGenerator;

  /** @param start Of the data, seconds since the epoch. */
  constructor(
    readonly choose: Chooser,
    readonly start: number,
  ) {
    this.vectors = new VectorGenerator(choose, start);
  }

  query(): string {
    return this.choose.weighted<() => string>([
      [60, () => this.vectors.vector(3).text],
      [8, () => this.#histogramQuantile()],
      [8, () => this.#native()],
      [3, () => this.vectors.scalar(2)],
      [3, () => this.#sorted()],
      [2, () => this.#absent()],
      [2, () => this.#acrossMetrics()],
    ])();
  }

  #histogramQuantile(): string {
    const { choose } = this;
    const level = choose.of(["0.5", "0.9", "0.99"]);
    const rate = `rate(${this.vectors.series("delay_bucket")}[${choose.of(ranges)}]${modifiers(choose, this.start)})`;
    const { text } = this.vectors.grouping(["shard", "gatewayID", "network"]);
    const by =
      text.startsWith(" by (") && !text.includes("nothing")
        ? text.replace("(", "(le, ").replace(", )", ")")
        : " by (le)";
    return choose.weighted<string>([
      [5, `histogram_quantile(${level}, sum${by} (${rate}))`],
      [2, `histogram_quantile(${level}, ${rate})`],
      [1, `histogram_fraction(0, 1, sum${by} (${rate}))`],
      [1, `max(histogram_quantile(${level}, sum by (le, shard) (${rate})))`],
    ]);
  }

  #native(): string {
    const { choose } = this;
    const name = choose.of(natives);
    const series = this.vectors.series(name);
    const range = `[${choose.of(ranges)}]${modifiers(choose, this.start)}`;
    const inner = choose.weighted<string>([
      [3, `${series}${modifiers(choose, this.start)}`],
      [4, `${choose.of(["rate", "increase", "sum_over_time", "avg_over_time", "last_over_time"])}(${series}${range})`],
    ]);
    const { text } = this.vectors.grouping(gatewayDimensions);
    const vector = choose.weighted<string>([
      [2, inner],
      [4, `${choose.of(["sum", "avg"])}${text} (${inner})`],
    ]);
    return choose.weighted<string>([
      [3, vector],
      [4, `histogram_quantile(${choose.of(["0.1", "0.5", "0.99"])}, ${vector})`],
      [1, `histogram_fraction(0.1, 3, ${vector})`],
      [1, `histogram_count(${vector})`],
      [1, `sum(histogram_sum(${vector}))`],
      [1, `histogram_avg(${vector})`],
      [1, `count${text} (${inner})`],
      [1, `${vector} * 2`],
      [1, `count_over_time(${series}${range})`],
    ]);
  }

  #sorted(): string {
    const { text } = this.vectors.certain();
    return `${this.choose.of(["sort", "sort_desc"])}(${text})`;
  }

  #absent(): string {
    const { choose } = this;
    return choose.weighted<string>([
      [2, 'absent(nothing_of_the_kind{job="x",shard="0"})'],
      [1, "absent_over_time(nothing_of_the_kind[10m])"],
      [1, 'absent(sum(cpu{network="none"}))'],
      [1, 'absent_over_time(cpu{gatewayID="g3",shard="7"}[5m])'],
      [1, "absent(cpu > 1e9) or cpu"],
    ]);
  }

  #acrossMetrics(): string {
    const { choose } = this;
    const { text } = this.vectors.grouping(["shard", "network", "__name__"]);
    return choose.weighted<string>([
      [2, `count${text} ({__name__=~".+",__name__!~"pipeline_push_batch|mixed"})`],
      [1, `sum${text} ({__name__=~"cpu|mem|enb_up",network="n1"})`],
      [1, `count${text} ({shard="0"})`],
      [1, `count by (__name__) ({gatewayID="g${String(choose.int(0, 9))}"})`],
      [1, "sessions"],
    ]);
  }
}

const steps = [30, 60, 60, 120, 300, 420, 600, 900, 1800] as const;

/** When a query is asked: an instant, or a range in whole steps as the frontend makes it. Seconds since the epoch. */
function times(choose: Chooser, start: number): Times {
  const end = start + choose.int(2400, duration + 200);
  if (choose.oneIn(2)) return { end };
  const step = choose.of(steps);
  const last = Math.floor(end / step) * step;
  return { start: last - step * Math.min(choose.int(1, 60), Math.floor((end - start) / step)), end: last, step };
}

/**
 * Queries over the fleet, the same for the same seed.
 * @param start Of the data, seconds since the epoch.
 */
export function generatedQueries(seed: number, count: number, start: number): readonly QueryCase[] {
  const arbitrary = fc.gen().map((draw): QueryCase => {
    const choose = new Chooser((values) => draw(() => values));
    const generator = new QueryGenerator(choose, start);
    return { origin: "generated", query: generator.query(), times: times(choose, start) };
  });
  const seen = new Set<string>();
  const unique: QueryCase[] = [];
  for (const each of fc.sample(arbitrary, { numRuns: Math.ceil(count * 1.3), seed })) {
    const key = JSON.stringify([each.query, each.times]);
    if (!seen.has(key) && unique.length < count) unique.push(each);
    seen.add(key);
  }
  return unique;
}
