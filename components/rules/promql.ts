import { parser } from "@prometheus-io/lezer-promql";
import { PIPELINE_LABELS } from "../../model/names";

/** What the grammar's tree is made of. */
export type PromNode = ReturnType<typeof parser.parse>["topNode"];

/** An expression and its syntax tree. */
export interface Expression {
  readonly text: string;
  /** The outermost operation, without parentheses around it. */
  readonly top: PromNode;
}

/** A text that is no PromQL. */
export interface SyntaxProblem {
  /** Characters before the place. */
  readonly offset: number;
  readonly message: string;
}

/** Reads an expression with Prometheus' own grammar. Types (instant or range vector) are not checked: promtool does that. */
export function readExpression(text: string): Expression | SyntaxProblem {
  const tree = parser.parse(text);
  let problem: SyntaxProblem | undefined;
  tree.iterate({
    enter: ({ type, from, to }) => {
      if (!type.isError || problem !== undefined) return;
      const found = text.slice(from, to === from ? from + 12 : to).trim();
      problem = {
        offset: from,
        message: found === "" ? "the expression ends too early" : `unexpected ${JSON.stringify(found)}`,
      };
    },
  });
  if (problem !== undefined) return problem;
  const top = expressions(tree.topNode)[0];
  return top === undefined ? { offset: 0, message: "the expression is empty" } : { text, top: withoutParens(top) };
}

/** Whether {@link readExpression} found a problem. */
export function isProblem(result: Expression | SyntaxProblem): result is SyntaxProblem {
  return "offset" in result;
}

/** Nodes that are expressions. */
const EXPRESSIONS: ReadonlySet<string> = new Set([
  "AggregateExpr",
  "BinaryExpr",
  "FunctionCall",
  "MatrixSelector",
  "NumberDurationLiteral",
  "OffsetExpr",
  "ParenExpr",
  "StepInvariantExpr",
  "StringLiteral",
  "SubqueryExpr",
  "UnaryExpr",
  "VectorSelector",
]);

/** Children of a node. */
export function children(node: PromNode): PromNode[] {
  const found: PromNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}

/** Expressions right below a node; arguments of a call or an aggregation included. */
export function expressions(node: PromNode): PromNode[] {
  return children(node).flatMap((child) => {
    if (EXPRESSIONS.has(child.name)) return [child];
    return child.name === "FunctionCallBody" ? expressions(child) : [];
  });
}

/** The expression inside its parentheses. */
export function withoutParens(node: PromNode): PromNode {
  const inner = node.name === "ParenExpr" ? expressions(node)[0] : undefined;
  return inner === undefined ? node : withoutParens(inner);
}

/** Source text of a node. */
export function textOf(text: string, node: PromNode): string {
  return text.slice(node.from, node.to);
}

/** How an aggregation groups. */
export interface Grouping {
  /** `none`: everything into one. */
  readonly kind: "by" | "without" | "none";
  /** Labels as written, quotes included. */
  readonly labels: readonly string[];
}

/** Grouping of an aggregation. */
export function groupingOf(text: string, aggregation: PromNode): Grouping {
  const modifier = aggregation.getChild("AggregateModifier");
  if (modifier === null) return { kind: "none", labels: [] };
  return { kind: modifier.getChild("By") === null ? "without" : "by", labels: labelsBelow(text, modifier) };
}

/** Label names in the first list below a node. */
export function labelsBelow(text: string, node: PromNode): string[] {
  const list = node.getChild("GroupingLabels");
  return list === null ? [] : children(list).map((label) => textOf(text, label));
}

/** Whether a list of labels as written names the label `shard`. */
export function namesShard(labels: readonly string[]): boolean {
  return labels.some((label) => label.replace(/^["'`](.*)["'`]$/, "$1") === PIPELINE_LABELS.shard);
}
