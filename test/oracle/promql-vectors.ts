/** Generates instant vectors of PromQL over the fleet's metrics. */
import {
  arithmetic,
  type Chooser,
  comparisons,
  counters,
  gatewayDimensions,
  gauges,
  matchers,
  modifiers,
  ranges,
  subqueries,
  type Dimensions,
  type Vector,
} from "./promql-parts";

const plainAggregations = ["sum", "sum", "count", "min", "max", "avg", "avg", "group", "stddev", "stdvar"] as const;
const overTime = ["avg", "min", "max", "sum", "count", "last", "present", "stddev", "stdvar"] as const;
const maths = ["abs", "ceil", "floor", "sgn", "sqrt", "exp", "ln", "log2", "log10", "deg", "atan", "tanh"] as const;
const moments = ["hour", "minute", "day_of_week", "day_of_month", "days_in_month", "month", "year"] as const;

/** Vectors and scalars, nested to a depth. */
export class VectorGenerator {
  /** @param start Of the data, seconds since the epoch. */
  constructor(
    readonly choose: Chooser,
    readonly start: number,
  ) {}

  vector(depth: number): Vector {
    if (depth <= 0) return this.#selector();
    return this.choose.weighted<() => Vector>([
      [3, () => this.#selector()],
      [10, () => this.#aggregation(depth)],
      [6, () => this.#rate()],
      [5, () => this.#overTime(depth)],
      [4, () => this.#function(depth)],
      [4, () => this.#withScalar(depth)],
      [5, () => this.#join(depth)],
      [3, () => this.#set(depth)],
    ])();
  }

  #selector(metrics = this.choose.oneIn(4) ? counters : gauges): Vector {
    const { name, more, hasTies } = this.choose.of(metrics);
    const text = `${this.series(name)}${modifiers(this.choose, this.start)}`;
    return { text, dimensions: [...gatewayDimensions, ...more], hasTies: hasTies ?? false };
  }

  series(name: string): string {
    const inside = matchers(this.choose);
    if (this.choose.oneIn(12)) return `{__name__="${name}"${inside === "" ? "" : `,${inside}`}}`;
    return inside === "" ? name : `${name}{${inside}}`;
  }

  grouping(dimensions: Dimensions): { readonly text: string; readonly kept: Dimensions } {
    const { choose } = this;
    const chosen = dimensions.filter(() => choose.oneIn(2));
    const list = (labels: readonly string[]) => labels.join(", ");
    return choose.weighted([
      [3, { text: "", kept: [] }],
      [5, { text: ` by (${list(chosen)})`, kept: chosen }],
      [3, { text: ` without (${list(chosen)})`, kept: dimensions.filter((dimension) => !chosen.includes(dimension)) }],
      [1, { text: " by (nothing, shard)", kept: dimensions.filter((dimension) => dimension === "shard") }],
    ]);
  }

  #aggregation(depth: number): Vector {
    const { choose } = this;
    const inner = this.vector(depth - 1);
    const { text, kept } = this.grouping(inner.dimensions);
    const all = (operator: string): Vector => ({
      text: `${operator}${text} (${inner.text})`,
      dimensions: kept,
      hasTies: true,
    });
    return choose.weighted<() => Vector>([
      [10, () => all(choose.of(plainAggregations))],
      [
        2,
        () => {
          const level = choose.of(["0.5", "0.9", "0", "1", "0.333"]);
          return { text: `quantile${text} (${level}, ${inner.text})`, dimensions: kept, hasTies: true };
        },
      ],
      [
        1,
        () => ({
          text: `count_values${text} ("value", ${inner.text})`,
          dimensions: [...kept, "value"],
          hasTies: true,
        }),
      ],
      [
        2,
        () => {
          // Which of two equal series is taken is not defined.
          const certain = inner.hasTies ? this.certain() : inner;
          const operator = choose.of(["topk", "bottomk"]);
          return { ...certain, text: `${operator}${text} (${String(choose.int(1, 4))}, ${certain.text})` };
        },
      ],
    ])();
  }

  /** Without equal values. */
  certain(): Vector {
    const text = this.choose.of(["cpu", "rate(bytes_total[20m])", 'cpu{cluster="main"}', "cpu + 3", "-cpu"]);
    const more = text.includes("bytes") ? ["port"] : [];
    return { text, dimensions: [...gatewayDimensions, ...more], hasTies: false };
  }

  #rate(): Vector {
    const { name, more } = this.choose.of(counters);
    const operator = this.choose.of(["rate", "rate", "increase", "irate", "resets"]);
    const range = this.choose.of(ranges);
    const text = `${operator}(${this.series(name)}[${range}]${modifiers(this.choose, this.start)})`;
    return { text, dimensions: [...gatewayDimensions, ...more], hasTies: true };
  }

  #overTime(depth: number): Vector {
    const { choose } = this;
    if (choose.oneIn(3)) {
      const inner = this.vector(depth - 1);
      const operator = `${choose.of(overTime)}_over_time`;
      const range = choose.of(subqueries);
      return {
        ...inner,
        text: `${operator}((${inner.text})[${range}]${modifiers(choose, this.start)})`,
        hasTies: true,
      };
    }
    const { name, more } = choose.of(gauges);
    const series = `${this.series(name)}[${choose.of(ranges)}]${modifiers(choose, this.start)}`;
    const text = choose.weighted<string>([
      [8, `${choose.of(overTime)}_over_time(${series})`],
      [1, `quantile_over_time(0.8, ${series})`],
      [1, `changes(${series})`],
      [1, `delta(${series})`],
      [1, `idelta(${series})`],
      [1, `deriv(${series})`],
      [1, `predict_linear(${series}, 600)`],
    ]);
    return { text, dimensions: [...gatewayDimensions, ...more], hasTies: true };
  }

  #function(depth: number): Vector {
    const { choose } = this;
    const inner = this.vector(depth - 1);
    const made = (text: string, more: Dimensions = []): Vector => ({
      text,
      dimensions: [...inner.dimensions, ...more],
      hasTies: true,
    });
    const source = inner.dimensions[0] ?? "cluster";
    return choose.weighted<() => Vector>([
      [4, () => made(`${choose.of(maths)}(${inner.text})`)],
      [1, () => made(`round(${inner.text}, 0.25)`)],
      [1, () => made(`clamp(${inner.text}, 0.5, 40)`)],
      [1, () => made(`clamp_max(${inner.text}, scalar(max(cpu)))`)],
      [1, () => made(`timestamp(${inner.text})`)],
      [1, () => made(`${choose.of(moments)}(${inner.text} * 1e4)`)],
      [2, () => made(`label_replace(${inner.text}, "made", "x$1", "${source}", "(.*)")`, ["made"])],
      [1, () => made(`label_replace(${inner.text}, "shard", "x$1", "shard", "(.*)")`)],
      [1, () => made(`label_join(${inner.text}, "made", "-", "shard", "gatewayID")`, ["made"])],
      [2, () => made(`-(${inner.text})`)],
    ])();
  }

  scalar(depth: number): string {
    const { choose } = this;
    return choose.weighted<() => string>([
      [3, () => choose.of(["2", "0.5", "50", "1e3", "-1", "100"])],
      [1, () => "time()"],
      [1, () => `scalar(sum(${this.vector(depth - 1).text}))`],
      [1, () => `scalar(cpu{gatewayID="g${String(choose.int(4, 9))}"})`],
      [1, () => `(${choose.of(["1", "7"])} ${choose.of(arithmetic)} 3)`],
    ])();
  }

  #withScalar(depth: number): Vector {
    const { choose } = this;
    const inner = this.vector(depth - 1);
    const scalar = this.scalar(depth - 1);
    const [left, right] = choose.oneIn(3) ? [scalar, `(${inner.text})`] : [`(${inner.text})`, scalar];
    const operator = choose.weighted<() => string>([
      [5, () => choose.of(arithmetic)],
      [2, () => choose.of(comparisons)],
      [2, () => `${choose.of(comparisons)} bool`],
    ])();
    return { ...inner, text: `${left} ${operator} ${right}`, hasTies: true };
  }

  /** A vector with one series for each gateway. */
  #perGateway(): string {
    const { choose } = this;
    const text = choose.of([
      "cpu",
      "mem",
      "enb_up",
      "flaky",
      "rate(ue_total[10m])",
      "delay_sum",
      "avg_over_time(cpu[5m])",
    ]);
    if (!choose.oneIn(4)) return text;
    return `sum by (cluster, shard, gatewayID, network) (bytes_total)`;
  }

  #join(depth: number): Vector {
    const { choose } = this;
    const operator = choose.oneIn(3) ? `${choose.of(comparisons)} bool` : choose.of(arithmetic);
    const [one, other] = [this.#perGateway(), this.#perGateway()];
    const made = (text: string, dimensions: Dimensions): Vector => ({ text, dimensions, hasTies: true });
    return choose.weighted<() => Vector>([
      [3, () => made(`${one} ${operator} ${other}`, gatewayDimensions)],
      [2, () => made(`${one} ${operator} on (cluster, shard, gatewayID) ${other}`, ["cluster", "shard", "gatewayID"])],
      [1, () => made(`${one} ${operator} on (gatewayID) ${other}`, ["gatewayID"])],
      [1, () => made(`${one} ${operator} on (gatewayID, shard) ${other}`, ["gatewayID", "shard"])],
      [2, () => made(`${one} ${operator} ignoring (network) ${other}`, ["cluster", "shard", "gatewayID"])],
      [2, () => made(`${one} ${operator} on (network) group_left () sum by (network) (${other})`, gatewayDimensions)],
      [1, () => made(`sum by (shard) (${one}) ${operator} on (shard) group_right () ${other}`, gatewayDimensions)],
      [
        2,
        () =>
          made(`${one} * on (shard, gatewayID) group_left (version, model) gateway_info`, [
            ...gatewayDimensions,
            "version",
            "model",
          ]),
      ],
      [
        3,
        () => {
          const { text, kept } = this.grouping(gatewayDimensions);
          return made(`sum${text} (${one}) ${operator} count${text} (${other})`, kept);
        },
      ],
      [
        2,
        () => {
          const inner = this.vector(depth - 1);
          return made(`(${inner.text}) ${operator} (${inner.text})`, inner.dimensions);
        },
      ],
    ])();
  }

  #set(depth: number): Vector {
    const { choose } = this;
    const [one, other] = [this.vector(depth - 1), this.vector(depth - 1)];
    const on = choose.weighted([
      [3, ""],
      [1, " on (gatewayID)"],
      [1, " on (shard)"],
      [1, " ignoring (network, port)"],
    ]);
    return choose.weighted<() => Vector>([
      [3, () => ({ ...one, text: `(${one.text}) and${on} (${other.text})`, hasTies: true })],
      [3, () => ({ ...one, text: `(${one.text}) or${on} (${other.text})`, hasTies: true })],
      [2, () => ({ ...one, text: `(${one.text}) unless${on} (${other.text} > 60)`, hasTies: true })],
      [1, () => ({ ...one, text: `(${one.text}) or vector(${String(choose.int(0, 3))})`, hasTies: true })],
    ])();
  }
}
