import { PIPELINE_LABELS } from "../../model/names";
import { expressions, groupingOf, isProblem, namesShard, readExpression, textOf, type Grouping } from "./promql";
import { functionName, shorten, whyNotLocal } from "./shard-local";

/** What a shard evaluates: one part of a sharded rule. */
export interface ShardPart {
  /** Name of the temporary series, one per shard. */
  readonly record: string;
  readonly expr: string;
}

/** A sharded rule in two levels. */
export interface TwoLevels {
  /** Rules for every shard's own Prometheus. */
  readonly parts: readonly ShardPart[];
  /** Expression of the Ruler's rule, which has the original name. */
  readonly expr: string;
}

/** Why a rule can't be sharded. */
export interface NotShardable {
  readonly reason: string;
}

/** End of the names of the series that the shards record. */
export const PART_SUFFIXES = { one: ":per_shard", sum: ":per_shard_sum", count: ":per_shard_count" } as const;

/** How the results of the shards are put together. Of these, all but avg are exact in one series. */
const COMBINED_BY = { sum: "sum", count: "sum", min: "min", max: "max", avg: "avg" } as const;

type Operation = keyof typeof COMBINED_BY;

const OPERATIONS = Object.keys(COMBINED_BY).join(", ");

function isOperation(name: string): name is Operation {
  return Object.hasOwn(COMBINED_BY, name);
}

/**
 * Splits `sum by (network) (rate(x[5m]))` into what each shard computes of its own series and how the Ruler puts the
 * results together. `without (a)` means `without (a, shard)`: the result is never one series per shard.
 *
 * Sums and averages of fractions may differ from the unsharded ones in the last bits, because they are added in another order.
 */
export function twoLevels(record: string, text: string): TwoLevels | NotShardable {
  const expression = readExpression(text);
  if (isProblem(expression)) return { reason: expression.message };
  const { top } = expression;
  const operator = top.getChild("AggregateOp");
  const operation = operator === null ? "" : textOf(text, operator).toLowerCase();
  if (operator === null || !isOperation(operation)) {
    const what = operator === null ? functionName(text, top) || shorten(textOf(text, top)) : operation;
    return {
      reason: `the outermost operation is ${what}; only ${OPERATIONS} can be put together from the shards' results`,
    };
  }
  const grouping = groupingOf(text, top);
  if (namesShard(grouping.labels)) {
    return { reason: `it groups ${grouping.kind} shard, and the shards' results are put together across that label` };
  }
  for (const below of expressions(top)) {
    const reason = whyNotLocal(text, below);
    if (reason !== undefined) return { reason };
  }
  const withOperation = (name: string) =>
    `${text.slice(top.from, operator.from)}${name}${text.slice(operator.to, top.to)}`;
  const combined = (name: string, part: string) => `${name}${groupingText(grouping)}(${part})`;
  if (operation !== "avg") {
    const part = `${record}${PART_SUFFIXES.one}`;
    return { parts: [{ record: part, expr: withOperation(operation) }], expr: combined(COMBINED_BY[operation], part) };
  }
  const [sum, count] = [`${record}${PART_SUFFIXES.sum}`, `${record}${PART_SUFFIXES.count}`];
  return {
    parts: [
      { record: sum, expr: withOperation("sum") },
      { record: count, expr: withOperation("count") },
    ],
    expr: `${combined("sum", sum)} / ${combined("sum", count)}`,
  };
}

function groupingText({ kind, labels }: Grouping): string {
  if (kind === "none") return "";
  const list = kind === "without" ? [...labels, PIPELINE_LABELS.shard] : labels;
  return ` ${kind} (${list.join(", ")}) `;
}
