/** What generated queries are made of: the fleet's metrics by what can be done with them, and a way to choose. */
import fc from "fast-check";
import { duration } from "./fleet";

/** Draws values from fast-check, so that a seed gives the same queries again. */
export class Chooser {
  constructor(readonly draw: <T>(arbitrary: fc.Arbitrary<T>) => T) {}

  int(min: number, max: number): number {
    return this.draw(fc.noBias(fc.integer({ min, max })));
  }

  /** True in one of so many. */
  oneIn(times: number): boolean {
    return this.int(1, times) === 1;
  }

  of<T>(items: readonly [T, ...T[]]): T {
    return items[this.int(0, items.length - 1)] ?? items[0];
  }

  /** One of several, the likelier the greater its weight. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let left = this.int(
      1,
      items.reduce((sum, [weight]) => sum + weight, 0),
    );
    for (const [weight, item] of items) {
      left -= weight;
      if (left <= 0) return item;
    }
    throw new Error("no weights");
  }
}

/** Labels that tell the series of an expression apart. */
export type Dimensions = readonly string[];

export const gatewayDimensions: Dimensions = ["cluster", "shard", "gatewayID", "network"];

/** An instant vector. */
export interface Vector {
  readonly text: string;
  readonly dimensions: Dimensions;
  /** No two values are equal, so that their order is certain. */
  readonly hasTies: boolean;
}

interface Metric {
  readonly name: string;
  readonly more: Dimensions;
  readonly hasTies?: true;
}

export const gauges: readonly [Metric, ...Metric[]] = [
  { name: "cpu", more: [] },
  { name: "cpu", more: [] },
  { name: "mem", more: [], hasTies: true },
  { name: "enb_up", more: [], hasTies: true },
  { name: "flaky", more: [], hasTies: true },
  { name: "link_up", more: ["replica"], hasTies: true },
  { name: "odd", more: [], hasTies: true },
  { name: "delay_sum", more: [], hasTies: true },
];

export const counters: readonly [Metric, ...Metric[]] = [
  { name: "ue_total", more: [], hasTies: true },
  { name: "bytes_total", more: ["port"] },
  { name: "delay_count", more: [], hasTies: true },
  { name: "delay_bucket", more: ["le"], hasTies: true },
];

/** Native histograms: exponential, custom buckets, gauge, mixed with floats. */
export const natives = ["latency", "latency", "size", "queue", "mixed"] as const;

export const ranges = ["5m", "10m", "20m", "1h", "90s", "3m30s"] as const;
export const subqueries = ["30m:5m", "1h:10m", "20m:1m", "15m:", "10m:45s"] as const;

/** Matchers that leave something; the external labels among them. */
export function matchers(choose: Chooser): string {
  return choose.weighted([
    [10, ""],
    [2, 'cluster="main"'],
    [2, `shard="${String(choose.int(0, 1))}"`],
    [1, 'shard=~"0|1"'],
    [1, 'shard!="1"'],
    [1, 'cluster="main",shard=~".+"'],
    [2, `network="n${String(choose.int(0, 2))}"`],
    [1, 'network!~"n0|n1"'],
    [2, `gatewayID=~"g1?${String(choose.int(0, 9))}"`],
    [1, 'gatewayID=~"g1.*",network=~"n.*"'],
    [1, 'prometheus_replica=""'],
    [1, 'nothing=""'],
  ]);
}

/** `offset` and `@`, mostly none. Times are seconds after the start of the data. */
export function modifiers(choose: Chooser, start: number): string {
  const offset = choose.weighted([
    [12, ""],
    [2, " offset 10m"],
    [1, " offset 1h"],
    [1, " offset -5m"],
    [1, " offset 61s"],
  ]);
  const at = choose.weighted([
    [16, ""],
    [1, ` @ ${String(start + choose.int(1800, duration))}`],
    [1, " @ end()"],
    [1, " @ start()"],
  ]);
  return at + offset;
}

export const comparisons = ["==", "!=", ">", "<", ">=", "<="] as const;
export const arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"] as const;
