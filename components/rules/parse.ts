import { parseDuration } from "../../model/durations";
import { PIPELINE_LABELS } from "../../model/names";
import { isProblem, readExpression } from "./promql";
import { SHARDED_LABEL, type Rule, type RuleFile, type RuleGroup, type RuleProblem } from "./rule-file";
import { RuleReader } from "./rule-reader";
import { PART_SUFFIXES, twoLevels } from "./sharded";
import { readYaml, YamlError, type YamlField, type YamlNode } from "./yaml-lines";

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Why the Ruler's own field is not taken. */
const NO_PARTIAL_RESPONSES = "answers are complete or an error: partial_response_strategy is always abort";

const GROUP_KEYS = {
  name: undefined,
  interval: undefined,
  query_offset: undefined,
  limit: undefined,
  labels: undefined,
  rules: undefined,
  partial_response_strategy: NO_PARTIAL_RESPONSES,
} as const;

const RULE_KEYS = {
  record: undefined,
  alert: undefined,
  expr: undefined,
  for: undefined,
  keep_firing_for: undefined,
  labels: undefined,
  annotations: undefined,
} as const;

/** What the pipeline asks of the rules. */
export interface RuleLimits {
  /** Milliseconds that all rules lag at least, so that late samples are in. */
  readonly minimumOffset: number;
}

/** Files of a rules directory, read and checked. */
export interface ParsedRules {
  readonly files: readonly RuleFile[];
  readonly problems: readonly RuleProblem[];
}

/** Reads rule files, text by file name. Everything that is wrong is told, with file and line. */
export function parseRules(texts: Readonly<Record<string, string>>, limits: RuleLimits): ParsedRules {
  const files: RuleFile[] = [];
  const problems: RuleProblem[] = [];
  for (const name of Object.keys(texts).sort()) {
    const reader = new RuleReader(name);
    files.push({ name, groups: groupsOf(reader, texts[name] ?? "", limits) });
    problems.push(...reader.problems);
  }
  problems.push(...repeatedSharded(files));
  return { files, problems };
}

/** Two sharded rules of one name would record the same temporary series. */
function repeatedSharded(files: readonly RuleFile[]): RuleProblem[] {
  const seen = new Map<string, string>();
  return files.flatMap(({ name: file, groups }) =>
    groups
      .flatMap(({ rules }) => rules.filter(({ kind, isSharded }) => isSharded && kind === "record"))
      .flatMap(({ name, line }) => {
        const first = seen.get(name);
        seen.set(name, first ?? `${file}:${String(line)}`);
        if (first === undefined) return [];
        const rule = `a sharded rule's name is recorded once; the first is at ${first}`;
        return [{ file, line, found: `${name} is sharded`, rule, fix: "rename one" }];
      }),
  );
}

function groupsOf(reader: RuleReader, text: string, limits: RuleLimits): RuleGroup[] {
  let root: YamlNode | undefined;
  try {
    root = readYaml(text);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    reader.problems.push({
      file: reader.file,
      line: error.line + 1,
      found: error.message,
      rule: "one YAML document",
      fix: "correct the line, or the one above it",
    });
    return [];
  }
  if (root === undefined) return [];
  const { groups } = reader.fields("", root, { groups: undefined });
  if (groups === undefined) {
    const rule = "a rule file has a list named groups";
    reader.report("groups", { line: root.line, value: undefined }, rule, "add it, or take the file out");
    return [];
  }
  const lines = text.split("\n");
  const names = new Set<string>();
  return reader.items("groups", groups.node).map((node, index) => {
    const path = `groups[${String(index)}]`;
    const group = groupOf(reader, path, node, lines, limits);
    if (group.name !== "" && names.has(group.name)) {
      reader.report(`${path}.name`, { line: group.line, value: group.name }, "names of groups differ", "rename one");
    }
    names.add(group.name);
    return group;
  });
}

function groupOf(
  reader: RuleReader,
  path: string,
  node: YamlNode,
  lines: readonly string[],
  limits: RuleLimits,
): RuleGroup {
  const fields = reader.fields(path, node, GROUP_KEYS);
  if (fields.name === undefined) {
    reader.report(`${path}.name`, { line: node.line, value: undefined }, "text, not empty", "name the group");
  }
  const { labels, isSharded } = labelsOf(reader, `${path}.labels`, fields.labels);
  const interval = reader.duration(`${path}.interval`, fields.interval);
  const queryOffset = reader.duration(`${path}.query_offset`, fields.query_offset);
  if (fields.query_offset !== undefined && (parseDuration(queryOffset ?? "") ?? Infinity) < limits.minimumOffset) {
    const least = `at least two scrape intervals (${String(limits.minimumOffset / 1000)} s), else late samples are left out`;
    reader.report(`${path}.query_offset`, fields.query_offset.node, least, "make it longer, or take the key out");
  }
  const limit = limitOf(reader, `${path}.limit`, fields.limit);
  const rules = fields.rules === undefined ? [] : reader.items(`${path}.rules`, fields.rules.node);
  return {
    name: fields.name === undefined ? "" : reader.text(`${path}.name`, fields.name.node),
    line: node.line,
    ...(interval === undefined ? {} : { interval }),
    ...(queryOffset === undefined ? {} : { queryOffset }),
    ...(limit === undefined ? {} : { limit }),
    labels,
    rules: rules.map((rule, index) => ruleOf(reader, `${path}.rules[${String(index)}]`, rule, lines, isSharded)),
  };
}

function limitOf(reader: RuleReader, path: string, field: YamlField | undefined): number | undefined {
  if (field === undefined) return undefined;
  const { value } = field.node;
  if (typeof value === "string" && /^\d{1,9}$/.test(value)) return Number(value);
  reader.report(path, field.node, "a whole number, not in quotes", "correct the value");
  return undefined;
}

function ruleOf(
  reader: RuleReader,
  path: string,
  node: YamlNode,
  lines: readonly string[],
  isGroupSharded: boolean,
): Rule {
  const fields = reader.fields(path, node, RULE_KEYS);
  const named = fields.record ?? fields.alert;
  if (named === undefined || (fields.record !== undefined && fields.alert !== undefined)) {
    const at = { line: node.line, value: named === undefined ? undefined : "both" };
    reader.report(`${path}.record or .alert`, at, "exactly one of record and alert", "correct the rule");
  }
  const kind = fields.record === undefined ? "alert" : "record";
  const name = named === undefined ? "" : reader.text(`${path}.${kind}`, named.node);
  if (kind === "record") onlyForAlerts(reader, path, fields);
  if (kind === "record" && Object.values(PART_SUFFIXES).some((suffix) => name.endsWith(suffix))) {
    const rule = "names that end so are those of the shards' parts of sharded rules";
    reader.report(`${path}.record`, named?.node ?? node, rule, "choose another name");
  }
  const expr = exprOf(reader, path, node, fields.expr, lines);
  const { labels, isSharded } = labelsOf(reader, `${path}.labels`, fields.labels);
  const keepFiringFor = reader.duration(`${path}.keep_firing_for`, fields.keep_firing_for);
  const wait = reader.duration(`${path}.for`, fields.for);
  const rule: Rule = {
    kind,
    name,
    ...expr,
    line: node.line,
    ...(wait === undefined ? {} : { for: wait }),
    ...(keepFiringFor === undefined ? {} : { keepFiringFor }),
    labels,
    annotations: reader.texts(`${path}.annotations`, fields.annotations),
    isSharded: isSharded || isGroupSharded,
  };
  if (rule.isSharded)
    checkSharded(reader, path, rule, isSharded ? reader.lineOf(fields.labels, SHARDED_LABEL) : node.line);
  return rule;
}

function onlyForAlerts(
  reader: RuleReader,
  path: string,
  fields: Partial<Record<"for" | "keep_firing_for" | "annotations", YamlField>>,
): void {
  for (const key of ["for", "keep_firing_for", "annotations"] as const) {
    const field = fields[key];
    if (field === undefined) continue;
    reader.report(
      `${path}.${key}`,
      { line: field.line, value: field.node.value },
      "for alerts only",
      "take the key out",
    );
  }
}

function exprOf(
  reader: RuleReader,
  path: string,
  node: YamlNode,
  field: YamlField | undefined,
  lines: readonly string[],
): Pick<Rule, "expr" | "exprLine"> {
  if (field === undefined) {
    reader.report(`${path}.expr`, { line: node.line, value: undefined }, "a PromQL expression", "add it");
    return { expr: "", exprLine: node.line };
  }
  const expr = reader.text(`${path}.expr`, field.node);
  // A block scalar starts on the line below its key.
  const isBlock = /:\s*[|>][-+0-9]*\s*(#.*)?$/.test(lines[field.line - 1] ?? "");
  const exprLine = field.line + (isBlock ? 1 : 0);
  const expression = expr === "" ? undefined : readExpression(expr);
  if (expression !== undefined && isProblem(expression)) {
    const line = exprLine + expr.slice(0, expression.offset).split("\n").length - 1;
    reader.report(`${path}.expr`, { line, value: expr }, `PromQL: ${expression.message}`, "correct the expression");
  }
  return { expr, exprLine };
}

function labelsOf(
  reader: RuleReader,
  path: string,
  field: YamlField | undefined,
): { readonly labels: Readonly<Record<string, string>>; readonly isSharded: boolean } {
  const { [SHARDED_LABEL]: sharded, ...labels } = reader.texts(path, field);
  const report = (key: string, value: string, rule: string, fix: string) => {
    reader.report(`${path}.${key}`, { line: reader.lineOf(field, key), value }, rule, fix);
  };
  if (sharded !== undefined && sharded !== "true") {
    report(SHARDED_LABEL, sharded, `"true": it marks a sharded recording rule`, `write "true", or take the label out`);
  }
  const reserved: readonly string[] = Object.values(PIPELINE_LABELS);
  for (const [key, value] of Object.entries(labels)) {
    if (reserved.includes(key)) report(key, value, `${reserved.join(", ")} are the pipeline's own`, "rename the label");
    else if (!LABEL_NAME.test(key) || key === "__name__") {
      report(key, value, "a label name: letters, digits and _, not starting with a digit", "rename the label");
    }
  }
  return { labels, isSharded: sharded === "true" };
}

function checkSharded(reader: RuleReader, path: string, rule: Rule, line: number): void {
  const at = (where: number) => ({ line: where, value: "true" });
  const key = `${path}.labels.${SHARDED_LABEL}`;
  if (rule.kind === "alert") {
    reader.report(
      key,
      at(line),
      "only recording rules can be sharded",
      "record what the alert needs, and use that in it",
    );
    return;
  }
  if (rule.expr === "" || isProblem(readExpression(rule.expr))) return;
  const levels = twoLevels(rule.name, rule.expr);
  if ("reason" in levels) {
    const rules = `${rule.name} can't be evaluated shard by shard: ${levels.reason}`;
    reader.report(key, at(rule.exprLine), rules, "change the expression, or take the label out");
  }
}
