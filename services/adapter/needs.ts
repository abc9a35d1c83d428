/** Which samples a query needs, read from the logical plan that comes with it (promql-engine logicalplan/codec.go). */

/** Times in milliseconds since the epoch. */
export interface Needs {
  /** Nothing before this is read. Infinity: the query reads no series. */
  readonly oldest: number;
  /** Nothing after this is read. -Infinity: the query reads no series. */
  readonly newest: number;
  /** Some part is pinned to the start or end of the query: parts of its range can't be asked for one by one. */
  readonly isPinned: boolean;
  /** Some series are read sample by sample, not range by range. */
  readonly hasInstantSelector: boolean;
}

/** What the query is evaluated over, in milliseconds. */
export interface Evaluation {
  readonly start: number;
  readonly end: number;
  readonly lookback: number;
}

interface PlanNode {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly children: readonly unknown[];
}

/** Nodes that evaluate their children at their own times. */
const transparent: ReadonlySet<string> = new Set([
  "aggregation",
  "binary",
  "function",
  "number_literal",
  "string_literal",
  "check_duplicate",
  "step_invariant",
  "parens",
  "unary",
]);

/** A matcher as the plan and Thanos' Store API number its types: 0 to 3 for `=`, `!=`, `=~`, `!~`. */
export interface Matcher {
  readonly type: number;
  readonly name: string;
  readonly value: string;
}

class UnknownPlan extends Error {}

/** Undefined when the plan is missing or has something in it that this module does not know. */
export function needsOf(query: string, plan: string | undefined, evaluation: Evaluation): Needs | undefined {
  if (plan === undefined) return undefined;
  try {
    const found = new Walk(evaluation);
    found.walk(JSON.parse(plan), evaluation.start, evaluation.end, undefined);
    const { oldest, newest, hasInstantSelector } = found;
    // The text is what is executed.
    return { oldest, newest, hasInstantSelector, isPinned: found.isPinned || /@\s*(?:start|end)\s*\(/.test(query) };
  } catch {
    return undefined;
  }
}

/** What each selector of a query matches. Undefined when the plan is missing or can't be read. */
export function selectorsOf(plan: string | undefined): readonly (readonly Matcher[])[] | undefined {
  if (plan === undefined) return undefined;
  const found: (readonly Matcher[])[] = [];
  const walk = (value: unknown): void => {
    const { type, data, children } = planNode(value);
    if (type === "vector_selector") found.push(matchersOf(data["LabelMatchers"]));
    children.forEach(walk);
  };
  try {
    walk(JSON.parse(plan));
    return found;
  } catch {
    return undefined;
  }
}

function matchersOf(matchers: unknown): readonly Matcher[] {
  if (!Array.isArray(matchers)) throw new UnknownPlan();
  return matchers.map((matcher: unknown) => {
    const { Type: type, Name: name, Value: value } = (matcher ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof type !== "number" || typeof name !== "string" || typeof value !== "string") throw new UnknownPlan();
    return { type, name, value };
  });
}

class Walk {
  oldest = Infinity;
  newest = -Infinity;
  isPinned = false;
  hasInstantSelector = false;

  constructor(readonly evaluation: Evaluation) {}

  /** @param range Of the range selector around this node; undefined: none. */
  walk(value: unknown, start: number, end: number, range: number | undefined): void {
    const { type, data, children } = planNode(value);
    if (type === "vector_selector") {
      const [first, last] = this.#shifted(data, start, end);
      if (range === undefined) this.hasInstantSelector = true;
      this.oldest = Math.min(this.oldest, first - (range ?? this.evaluation.lookback));
      this.newest = Math.max(this.newest, last);
    } else if (type === "matrix_selector") {
      for (const child of children) this.walk(child, start, end, duration(data, "Range"));
    } else if (type === "subquery") {
      const [first, last] = this.#shifted(data, start, end);
      for (const child of children) this.walk(child, first - duration(data, "Range"), last, undefined);
    } else if (transparent.has(type)) {
      for (const child of children) this.walk(child, start, end, undefined);
    } else {
      throw new UnknownPlan(type);
    }
  }

  /** Evaluation times after `@` and `offset`. */
  #shifted(data: PlanNode["data"], start: number, end: number): readonly [number, number] {
    const offset = duration(data, "OriginalOffset");
    const pinned = (data["StartOrEnd"] ?? 0) !== 0;
    if (pinned) this.isPinned = true;
    const timestamp = data["Timestamp"];
    if (typeof timestamp === "number") return [timestamp - offset, timestamp - offset];
    if (!pinned) return [start - offset, end - offset];
    return [Math.min(start, this.evaluation.start) - offset, Math.max(end, this.evaluation.end) - offset];
  }
}

function planNode(value: unknown): PlanNode {
  if (typeof value !== "object" || value === null) throw new UnknownPlan();
  const { type, data, children } = value as Readonly<Record<string, unknown>>;
  if (typeof type !== "string") throw new UnknownPlan();
  return {
    type,
    data: typeof data === "object" && data !== null ? (data as PlanNode["data"]) : {},
    children: Array.isArray(children) ? children : [],
  };
}

/** A Go duration (nanoseconds) in milliseconds. */
function duration(data: PlanNode["data"], key: string): number {
  const value = data[key] ?? 0;
  if (typeof value !== "number") throw new UnknownPlan(key);
  return value / 1e6;
}
