/** Answers of Prometheus' HTTP API in a form that can be compared: labels of the pipeline taken off, order made the same. */

import { z } from "zod";
import { PIPELINE_LABELS } from "../../model/names";
import { parseValue } from "../../tools/prometheus-api";

/** `[milliseconds, value]` */
export type Point = readonly [number, number];

/** Series by labels, or a plain list of names. */
export type Answer =
  | { readonly kind: "series"; readonly series: ReadonlyMap<string, readonly Point[]> }
  | { readonly kind: "list"; readonly items: readonly string[] };

/** Relative difference that two sums of the same numbers in another order may have. */
const TOLERANCE = 1e-9;

const labelsSchema = z.record(z.string(), z.string());
const pointSchema = z.tuple([z.number(), z.string()]);
const bodySchema = z.object({
  status: z.literal("success"),
  data: z.union([
    z.object({
      resultType: z.literal("matrix"),
      result: z.array(z.object({ metric: labelsSchema, values: z.array(pointSchema) })),
    }),
    z.object({
      resultType: z.literal("vector"),
      result: z.array(z.object({ metric: labelsSchema, value: pointSchema })),
    }),
    z.object({ resultType: z.literal("scalar"), result: pointSchema }),
    z.array(z.string()),
    z.array(labelsSchema),
  ]),
});

const pipelineLabels = new Set<string>(Object.values(PIPELINE_LABELS));

/** The name of a series whatever shard it is on. */
export function seriesKey(labels: Readonly<Record<string, string>>): string {
  const kept = Object.entries(labels)
    .filter(([label, value]) => value !== "" && !pipelineLabels.has(label))
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify(kept);
}

/** @throws Error when the body is not a success. */
export function parseAnswer(body: string): Answer {
  const { data } = bodySchema.parse(JSON.parse(body));
  const point = ([time, text]: readonly [number, string]): Point => [Math.round(time * 1_000), parseValue(text)];
  if (Array.isArray(data)) {
    const items = data.map((item) => (typeof item === "string" ? item : seriesKey(item)));
    return { kind: "list", items: [...new Set(items)].filter((item) => !pipelineLabels.has(item)).sort() };
  }
  switch (data.resultType) {
    case "matrix":
      return {
        kind: "series",
        series: new Map(data.result.map(({ metric, values }) => [seriesKey(metric), values.map(point)])),
      };
    case "vector":
      return {
        kind: "series",
        series: new Map(data.result.map(({ metric, value }) => [seriesKey(metric), [point(value)]])),
      };
    case "scalar":
      return { kind: "series", series: new Map([["[]", [point(data.result)]]]) };
  }
}

function isClose(left: number, right: number): boolean {
  if (left === right || (Number.isNaN(left) && Number.isNaN(right))) return true;
  return Math.abs(left - right) <= TOLERANCE * Math.max(Math.abs(left), Math.abs(right));
}

function differenceOfSeries(key: string, wanted: readonly Point[], given: readonly Point[]): string | undefined {
  if (wanted.length !== given.length) {
    return `${key} has ${String(given.length)} values instead of ${String(wanted.length)}`;
  }
  for (const [index, [time, value]] of wanted.entries()) {
    const [givenTime, givenValue] = given[index] ?? [Number.NaN, Number.NaN];
    if (time !== givenTime || !isClose(value, givenValue)) {
      return `${key} is ${String(givenValue)} at ${String(givenTime)} instead of ${String(value)} at ${String(time)}`;
    }
  }
  return undefined;
}

function differenceOfLists(wanted: readonly string[], given: readonly string[]): string | undefined {
  const [wantedItems, givenItems] = [new Set(wanted), new Set(given)];
  const missing = wanted.filter((item) => !givenItems.has(item));
  const extra = given.filter((item) => !wantedItems.has(item));
  if (missing.length + extra.length === 0) return undefined;
  return `${String(missing.length)} missing (${missing[0] ?? "-"}), ${String(extra.length)} too many (${extra[0] ?? "-"})`;
}

/** The first difference, in words; undefined when both say the same. */
export function difference(wanted: Answer, given: Answer): string | undefined {
  if (wanted.kind === "list") {
    return given.kind === "list" ? differenceOfLists(wanted.items, given.items) : "series instead of a list";
  }
  if (given.kind === "list") return "a list instead of series";
  const missing = [...wanted.series.keys()].filter((key) => !given.series.has(key));
  const extra = [...given.series.keys()].filter((key) => !wanted.series.has(key));
  if (missing.length + extra.length > 0) {
    return `${String(missing.length)} series missing (${missing[0] ?? "-"}), ${String(extra.length)} too many (${extra[0] ?? "-"})`;
  }
  for (const [key, points] of wanted.series) {
    const found = differenceOfSeries(key, points, given.series.get(key) ?? []);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How much an answer holds, in words. */
export function sizeOf(answer: Answer): number {
  return answer.kind === "list" ? answer.items.length : answer.series.size;
}
