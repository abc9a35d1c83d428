/**
 * Merging what the shards' own Prometheus answered when they were asked directly: as little as can be done, because this
 * arm is the yardstick of what a query path may cost.
 */

import { bucketQuantile, type Bucket } from "../../tools/check/promql-math";
import type { Answer, Point } from "./answers";

/** How answers become one. Series of shards are disjoint, so lists and plain series are put side by side. */
export type Merge =
  | { readonly how: "sum" | "max" | "min" | "side by side" }
  | { readonly how: "topk"; readonly k: number }
  | { readonly how: "histogram_quantile"; readonly quantile: number };

const combine: Readonly<Record<"sum" | "max" | "min", (left: number, right: number) => number>> = {
  sum: (left, right) => left + right,
  max: Math.max,
  min: Math.min,
};

type SeriesMap = ReadonlyMap<string, readonly Point[]>;

function aggregate(answers: readonly SeriesMap[], how: "sum" | "max" | "min"): SeriesMap {
  const merged = new Map<string, Map<number, number>>();
  for (const answer of answers) {
    for (const [key, points] of answer) {
      let values = merged.get(key);
      if (values === undefined) merged.set(key, (values = new Map<number, number>()));
      for (const [time, value] of points) {
        const before = values.get(time);
        values.set(time, before === undefined ? value : combine[how](before, value));
      }
    }
  }
  return new Map([...merged].map(([key, values]) => [key, inOrder(values)]));
}

function inOrder(values: ReadonlyMap<number, number>): readonly Point[] {
  return [...values].sort(([left], [right]) => left - right);
}

/** Keeps the k largest values of each moment. */
function topk(series: SeriesMap, k: number): SeriesMap {
  const byTime = new Map<number, [string, number][]>();
  for (const [key, points] of series) {
    for (const [time, value] of points) {
      const at = byTime.get(time);
      if (at === undefined) byTime.set(time, [[key, value]]);
      else at.push([key, value]);
    }
  }
  const kept = new Map<string, Map<number, number>>();
  for (const [time, values] of byTime) {
    for (const [key, value] of values.sort(([, left], [, right]) => right - left).slice(0, k)) {
      let of = kept.get(key);
      if (of === undefined) kept.set(key, (of = new Map<number, number>()));
      of.set(time, value);
    }
  }
  return new Map([...kept].map(([key, values]) => [key, inOrder(values)]));
}

/** Buckets summed over shards, `le` by `le`, to the quantile of each moment. */
function histogramQuantile(series: SeriesMap, quantile: number): SeriesMap {
  const groups = new Map<string, Map<number, Bucket[]>>();
  for (const [key, points] of series) {
    const labels = JSON.parse(key) as [string, string][];
    const bound = labels.find(([label]) => label === "le")?.[1] ?? "";
    const group = JSON.stringify(labels.filter(([label]) => label !== "le"));
    let times = groups.get(group);
    if (times === undefined) groups.set(group, (times = new Map<number, Bucket[]>()));
    for (const [time, count] of points) {
      const bucket = { upperBound: bound === "+Inf" ? Infinity : Number(bound), count };
      const at = times.get(time);
      if (at === undefined) times.set(time, [bucket]);
      else at.push(bucket);
    }
  }
  return new Map(
    [...groups].map(([key, times]) => [
      key,
      inOrder(new Map([...times].map(([time, buckets]) => [time, bucketQuantile(quantile, buckets)]))),
    ]),
  );
}

/** Puts the shards' answers together. */
export function mergeAnswers(answers: readonly Answer[], merge: Merge): Answer {
  const lists = answers.flatMap((answer) => (answer.kind === "list" ? [answer.items] : []));
  if (lists.length > 0) return { kind: "list", items: [...new Set(lists.flat())].sort() };
  const maps = answers.flatMap((answer) => (answer.kind === "series" ? [answer.series] : []));
  switch (merge.how) {
    case "sum":
    case "max":
    case "min":
      return { kind: "series", series: aggregate(maps, merge.how) };
    case "side by side":
      return { kind: "series", series: new Map(maps.flatMap((map) => [...map])) };
    case "topk":
      return { kind: "series", series: topk(new Map(maps.flatMap((map) => [...map])), merge.k) };
    case "histogram_quantile":
      return { kind: "series", series: histogramQuantile(aggregate(maps, "sum"), merge.quantile) };
  }
}
