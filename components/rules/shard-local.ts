import { children, expressions, groupingOf, labelsBelow, namesShard, textOf, type PromNode } from "./promql";

/**
 * Whether every shard can compute its part of an expression alone: then the union of the shards' answers is the answer
 * over all. Every series has the label `shard`, so what keeps series of different shards apart is local.
 */

/** Functions whose answer for a shard says nothing of the whole, and why. */
const NEVER_LOCAL: Readonly<Record<string, string>> = {
  absent: "each shard lacks the series of the others, so absent() would be true on most of them",
  absent_over_time: "each shard lacks the series of the others, so absent_over_time() would be true on most of them",
  info: "info() joins series that may be on different shards",
  scalar: "scalar() sees the series of one shard only",
  vector: "vector() would be counted once per shard",
};

/** Functions of a vector that default to the time, which would be counted once per shard. */
const OF_TIME: ReadonlySet<string> = new Set([
  "day_of_month",
  "day_of_week",
  "day_of_year",
  "days_in_month",
  "hour",
  "minute",
  "month",
  "year",
]);

/** Functions that write a label, whose name is their second argument. */
const WRITES_LABEL: ReadonlySet<string> = new Set(["label_join", "label_replace"]);

const SCALARS: ReadonlySet<string> = new Set(["pi", "time"]);

/** Why an expression can't be computed by each shard alone; undefined when it can. */
export function whyNotLocal(text: string, node: PromNode): string | undefined {
  const own = whyNotItself(text, node);
  if (own !== undefined) return own;
  for (const below of expressions(node)) {
    const reason = whyNotLocal(text, below);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function whyNotItself(text: string, node: PromNode): string | undefined {
  switch (node.name) {
    case "AggregateExpr":
      return whyNotAggregation(text, node);
    case "BinaryExpr":
      return whyNotBinary(text, node);
    case "FunctionCall":
      return whyNotCall(text, node);
    default:
      return undefined;
  }
}

function whyNotAggregation(text: string, node: PromNode): string | undefined {
  const { kind, labels } = groupingOf(text, node);
  const keepsShard = kind === "by" ? namesShard(labels) : kind === "without" && !namesShard(labels);
  if (keepsShard) return undefined;
  const fix = kind === "without" ? "take shard out of its without" : "add shard to its by";
  return `${shorten(textOf(text, node))} inside the outermost aggregation puts series of different shards together: ${fix}`;
}

function whyNotBinary(text: string, node: PromNode): string | undefined {
  const sides = expressions(node);
  if (sides.some((side) => isScalar(text, side))) return undefined;
  const matching = node.getChild("MatchingModifierClause");
  if (matching === null) return undefined;
  const what = shorten(textOf(text, node));
  const labels = labelsBelow(text, matching);
  if (matching.getChild("On") !== null && !namesShard(labels)) {
    return `${what} joins series that may be on different shards: add shard to its on()`;
  }
  if (matching.getChild("Ignoring") !== null && namesShard(labels)) {
    return `${what} joins series that may be on different shards: take shard out of its ignoring()`;
  }
  const included = children(matching).slice(-1);
  if (included.some((list) => list.name === "GroupingLabels" && list.from > groupAt(matching))) {
    const taken = included.flatMap((list) => children(list).map((label) => textOf(text, label)));
    if (namesShard(taken)) return `${what} overwrites the label shard: take it out of group_left() or group_right()`;
  }
  return undefined;
}

/** Where group_left or group_right stands; behind everything when there is none. */
function groupAt(matching: PromNode): number {
  return (matching.getChild("GroupLeft") ?? matching.getChild("GroupRight"))?.from ?? matching.to;
}

function whyNotCall(text: string, node: PromNode): string | undefined {
  const name = functionName(text, node);
  const reason = Object.hasOwn(NEVER_LOCAL, name) ? NEVER_LOCAL[name] : undefined;
  if (reason !== undefined) return reason;
  const given = expressions(node);
  if (OF_TIME.has(name) && given.length === 0) return `${name}() without an argument would be counted once per shard`;
  if (WRITES_LABEL.has(name) && given[1] !== undefined && namesShard([textOf(text, given[1])])) {
    return `${name}() overwrites the label shard`;
  }
  return undefined;
}

/** Name of the function that is called. */
export function functionName(text: string, call: PromNode): string {
  const name = call.getChild("FunctionIdentifier");
  return name === null ? "" : textOf(text, name);
}

function isScalar(text: string, node: PromNode): boolean {
  switch (node.name) {
    case "NumberDurationLiteral":
      return true;
    case "ParenExpr":
    case "UnaryExpr":
    case "BinaryExpr":
      return expressions(node).every((side) => isScalar(text, side));
    case "FunctionCall":
      return SCALARS.has(functionName(text, node));
    default:
      return false;
  }
}

/** A text on one line, short enough for a message. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
