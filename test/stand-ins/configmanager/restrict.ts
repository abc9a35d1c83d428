import { parser } from "@prometheus-io/lezer-promql";
import { HttpError } from "./http";

/** A TEST PART. What `-restrict-queries` makes of an expression, and which expressions a PromQL of 2020 does not know. */

/** Nodes for what came after Prometheus 2.20. */
const NEWER = new Set(["StepInvariantExpr", "Limitk", "LimitRatio"]);

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** @throws HttpError 400 for what Prometheus 2.20's parser refuses. */
export function checkExpression(expression: string): void {
  if (expression === "") throw new HttpError(400, "Rule Validation Error; field 'expr' must be set in rule");
  let problem: string | undefined;
  parser.parse(expression).iterate({
    enter: ({ type, from, name }) => {
      if (type.isError) problem ??= `unexpected input at ${String(from)}`;
      if (NEWER.has(name)) problem ??= `unexpected ${name}, which is newer than Prometheus 2.20`;
    },
  });
  if (problem !== undefined) {
    throw new HttpError(400, `Rule Validation Error; could not parse expression: ${problem}`);
  }
}

/** Gives every selector the matcher `label="value"`; of one that is there, the value is replaced and the operator stays. */
export function restricted(expression: string, label: string, value: string): string {
  const edits: Edit[] = [];
  const quoted = JSON.stringify(value);
  parser.parse(expression).iterate({
    enter: (reference) => {
      if (reference.name !== "VectorSelector") return;
      const { node } = reference;
      const matchers = node.getChild("LabelMatchers");
      if (matchers === null) {
        edits.push({ from: node.to, to: node.to, text: `{${label}=${quoted}}` });
        return;
      }
      const existing = matchers
        .getChildren("UnquotedLabelMatcher")
        .find((matcher) => nameOf(expression, matcher.getChild("LabelName")) === label)
        ?.getChild("StringLiteral");
      if (existing !== null && existing !== undefined) {
        edits.push({ from: existing.from, to: existing.to, text: quoted });
        return;
      }
      const end = matchers.to - 1;
      const inside = expression.slice(matchers.from + 1, end).trim();
      const comma = inside === "" || inside.endsWith(",") ? "" : ",";
      edits.push({ from: end, to: end, text: `${comma}${label}=${quoted}` });
    },
  });
  return edits
    .sort((left, right) => right.from - left.from)
    .reduce((text, { from, to, text: put }) => text.slice(0, from) + put + text.slice(to), expression);
}

function nameOf(text: string, node: { readonly from: number; readonly to: number } | null): string | undefined {
  return node === null ? undefined : text.slice(node.from, node.to);
}
