/** What the root must answer at one time, computed from the ledger alone. */

import type { Gateway, Series } from "../feed/fleet";
import { valueAt } from "../feed/values";
import type { Bucket, Point } from "./promql-math";
import { bucketQuantile, increase, sum } from "./promql-math";
import type { Stored } from "./stored";

/** A number that is expected, and the sum of magnitudes it was made of: rounding is judged against that. */
export interface ExpectedSum {
  readonly value: number;
  readonly magnitude: number;
}

export interface Instant {
  /** Series with a sample in the lookback, at least (acknowledged) and at most (with what may have been stored). */
  readonly count: { readonly least: number; readonly most: number };
  /** By `gatewayID` ("" for the cloud), without the uncertain gateways. */
  readonly countByGateway: ReadonlyMap<string, number>;
  readonly sumByGateway: ReadonlyMap<string, ExpectedSum>;
  /** By metric name; only exact when no gateway is uncertain. */
  readonly sumByName: ReadonlyMap<string, ExpectedSum>;
  /** Gateways that have pushes in the window of which nobody knows whether they are stored. */
  readonly uncertain: ReadonlySet<string>;
}

/** When an evaluation is made, and what it looks at. */
export interface Moment {
  /** Time (ms) of the query. */
  readonly at: number;
  /** Acknowledged after this (ms of the wall clock) = not yet certainly readable. */
  readonly settledBefore: number;
}

class Sums {
  private readonly values = new Map<string, number[]>();

  add(key: string, value: number): void {
    const list = this.values.get(key);
    if (list === undefined) this.values.set(key, [value]);
    else list.push(value);
  }

  totals(): ReadonlyMap<string, ExpectedSum> {
    return new Map(
      [...this.values].map(([key, values]) => [key, { value: sum(values), magnitude: sum(values.map(Math.abs)) }]),
    );
  }
}

/** An instant query's view of every series; `lookback` in ms. */
export function expectInstant(stored: Stored, moment: Moment, lookback: number): Instant {
  const byGateway = new Sums();
  const byName = new Sums();
  const countByGateway = new Map<string, number>();
  const uncertain = new Set<string>();
  let least = 0;
  let most = 0;
  for (const gateway of stored.fleet.gateways) {
    const pushes = stored.pushesOf(gateway, moment.at - lookback, moment.at, moment.settledBefore);
    const all = stored.latestOf(gateway, pushes);
    most += all.size;
    if (pushes.some(({ state }) => state === "maybe")) {
      uncertain.add(gateway.id);
      least += stored.latestOf(
        gateway,
        pushes.filter(({ state }) => state === "stored"),
      ).size;
      continue;
    }
    least += all.size;
    if (all.size === 0) continue;
    countByGateway.set(gateway.id, all.size);
    for (const { series, timestamp } of all.values()) {
      const value = valueAt(series, timestamp);
      byGateway.add(gateway.id, value);
      byName.add(series.name, value);
    }
  }
  const sums = { sumByGateway: byGateway.totals(), sumByName: byName.totals() };
  return { count: { least, most }, countByGateway, ...sums, uncertain };
}

export interface Increases {
  /** Sum of `increase` by gateway, without the uncertain ones. */
  readonly byGateway: ReadonlyMap<string, ExpectedSum>;
  /** Sum of `increase` by `le` ("" for series without it). */
  readonly byBound: ReadonlyMap<string, ExpectedSum>;
  readonly uncertain: ReadonlySet<string>;
}

function boundOf(series: Series): string {
  return /le="([^"]*)"/.exec(series.key)?.[1] ?? "";
}

/** `increase` of a metric over `range` ms, summed two ways. */
export function expectIncreases(stored: Stored, moment: Moment, metric: string, range: number): Increases {
  const byGateway = new Sums();
  const byBound = new Sums();
  const uncertain = new Set<string>();
  for (const gateway of stored.fleet.gateways) {
    const pushes = stored.pushesOf(gateway, moment.at - range, moment.at, moment.settledBefore);
    if (pushes.some(({ state }) => state === "maybe")) {
      uncertain.add(gateway.id);
      continue;
    }
    for (const { series, points } of stored.seriesOf(gateway, pushes, ({ name }) => name === metric).values()) {
      const increased = increase(points, moment.at, range);
      if (increased === undefined) continue;
      byGateway.add(gateway.id, increased);
      byBound.add(boundOf(series), increased);
    }
  }
  return { byGateway: byGateway.totals(), byBound: byBound.totals(), uncertain };
}

/** `histogram_quantile(q, sum by (le) (increase(...)))` from the ledger's buckets. */
export function expectQuantile(increases: Increases, q: number): number {
  const buckets = [...increases.byBound].map(([bound, { value }]): Bucket => ({
    upperBound: bound === "+Inf" ? Infinity : Number(bound),
    count: value,
  }));
  return bucketQuantile(q, buckets);
}

/** Every sample of a gateway in (start, end], by series key: those that must be there, and those that may be. */
export function expectSamples(
  stored: Stored,
  gateway: Gateway,
  start: number,
  end: number,
  settledBefore: number,
): ReadonlyMap<string, { readonly must: readonly Point[]; readonly may: readonly Point[] }> {
  const pushes = stored.pushesOf(gateway, start, end, settledBefore);
  const must = stored.seriesOf(
    gateway,
    pushes.filter(({ state }) => state === "stored"),
  );
  const may = stored.seriesOf(
    gateway,
    pushes.filter(({ state }) => state === "maybe"),
  );
  const keys = new Set([...must.keys(), ...may.keys()]);
  return new Map(
    [...keys].map((key) => [key, { must: must.get(key)?.points ?? [], may: may.get(key)?.points ?? [] }] as const),
  );
}
