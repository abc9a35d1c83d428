import { route, type ShardView } from "../../../../services/adapter/route";
import type { Form } from "./fakes";

/** In milliseconds. */
export const second = 1_000;
export const minute = 60_000;

/** One batch in each window that ends at these times, in milliseconds. */
export function batchesAt(isThere: (end: number) => boolean): (form: Form) => object {
  return ({ start, end, step }) => {
    const values: (readonly [number, string])[] = [];
    for (let time = Number(start); time <= Number(end); time += Number(step)) {
      if (isThere(time * second)) values.push([time, "1"]);
    }
    const facts = ["count", "sum", "stdvar", "min", "max"];
    return { resultType: "matrix", result: facts.map((fact) => ({ metric: { exporter: "e", fact }, values })) };
  };
}

/** Who answers a query over a stretch of time, in minutes before now. */
export function askedFor(view: ShardView, from: number, to: number): readonly string[] {
  const needs = {
    oldest: view.now - from * minute,
    newest: view.now - to * minute,
    isPinned: false,
    hasInstantSelector: false,
  };
  return route({ needs, step: 60, lookback: 300, needsLeaf: undefined }, view).replicas;
}
