/** Shards with samples and staleness markers, and a root that answers the step check's range queries over them. */

import type { Fleet } from "../../../../tools/feed/fleet";
import { valueAt } from "../../../../tools/feed/values";
import { increase } from "../../../../tools/check/promql-math";
import type { QueryResult } from "../../../../tools/prometheus-api";

/** A value, or undefined for a staleness marker. */
type Sample = readonly [at: number, value: number | undefined];

interface StoredSeries {
  readonly gatewayID: string;
  readonly name: string;
  readonly shard: string;
  readonly samples: Sample[];
}

export class ShardsDouble {
  readonly queries: string[] = [];
  warnings: readonly string[] = [];
  private readonly series = new Map<string, StoredSeries>();

  constructor(
    private readonly fleet: Fleet,
    private readonly lookback: number,
  ) {}

  /** Stores what gateway number `index` pushes at `at` on a shard, or staleness markers for it. */
  store(index: number, at: number, shard: string, kind: "samples" | "markers" = "samples"): void {
    const gateway = this.fleet.gateways[index];
    if (gateway === undefined) throw new Error(`no gateway ${String(index)}`);
    for (const one of this.fleet.seriesAt(gateway, at)) {
      const key = `${shard} ${one.key}`;
      const entry = this.series.get(key) ?? { gatewayID: gateway.id, name: one.name, shard, samples: [] };
      this.series.set(key, entry);
      entry.samples.push([at, kind === "samples" ? valueAt(one, at) : undefined]);
    }
  }

  queryRange(query: string, start: number, end: number, step: number): Promise<QueryResult> {
    this.queries.push(query);
    const labels = (/by \(([^)]*)\)/.exec(query)?.[1] ?? "").split(",").map((label) => label.trim());
    const groups = new Map<string, { labels: Record<string, string>; values: Map<number, number[]> }>();
    const over = /increase\((\w+)\{[^}]*\}\[(\d+)ms\]/.exec(query);
    for (const one of this.series.values()) {
      if (over !== null && one.name !== over[1]) continue;
      for (let at = start; at <= end; at += step * 1_000) {
        const value = this.valueOf(one, at, over === null ? undefined : Number(over[2]));
        if (value === undefined) continue;
        const all: Readonly<Record<string, string>> = { gatewayID: one.gatewayID, shard: one.shard };
        const group = Object.fromEntries(
          labels.flatMap((label) => ((all[label] ?? "") === "" ? [] : [[label, all[label] ?? ""]])),
        );
        const key = JSON.stringify(group);
        const entry = groups.get(key) ?? { labels: group, values: new Map<number, number[]>() };
        groups.set(key, entry);
        const values = entry.values.get(at) ?? [];
        entry.values.set(at, values);
        values.push(value);
      }
    }
    const isCount = query.startsWith("count");
    const series = [...groups.values()].map((group) => ({
      labels: group.labels,
      values: [...group.values].map(
        ([at, values]) => [at, isCount ? values.length : values.reduce((total, value) => total + value, 0)] as const,
      ),
    }));
    return Promise.resolve({ type: "matrix", series, warnings: this.warnings });
  }

  /** The newest sample, or the increase over `range` ms. */
  private valueOf(one: StoredSeries, at: number, range: number | undefined): number | undefined {
    if (range === undefined) {
      return one.samples.findLast(([time]) => time <= at && time > at - this.lookback)?.[1];
    }
    const points = one.samples.flatMap(([time, value]) =>
      value !== undefined && time <= at && time > at - range ? [[time, value] as const] : [],
    );
    return increase(points, at, range);
  }
}
