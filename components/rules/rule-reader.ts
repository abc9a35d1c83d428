import type { YamlField, YamlNode } from "./yaml-lines";
import type { RuleProblem } from "./rule-file";
import { parseDuration } from "../../model/durations";

/** Where a value stands, in words: `groups[0].rules[2].for`. */
export type Path = string;

/** Reads values of a rule file and collects what is wrong with them. */
export class RuleReader {
  readonly problems: RuleProblem[] = [];

  constructor(readonly file: string) {}

  /** Notes that a value is wrong. */
  report(path: Path, node: Pick<YamlNode, "line" | "value">, rule: string, fix: string): void {
    this.problems.push({ file: this.file, line: node.line, found: `${path} is ${show(node.value)}`, rule, fix });
  }

  /** Fields of a mapping by name; unknown ones are reported. */
  fields<Name extends string>(
    path: Path,
    node: YamlNode,
    known: Readonly<Record<Name, string | undefined>>,
  ): Partial<Record<Name, YamlField>> {
    const names = Object.keys(known);
    if (node.fields === undefined) {
      this.report(path, node, `a mapping with the keys ${names.join(", ")}`, "correct the value");
      return {};
    }
    const found: Partial<Record<Name, YamlField>> = {};
    for (const field of node.fields) {
      const refused = Object.hasOwn(known, field.key) ? known[field.key as Name] : `one of ${names.join(", ")}`;
      // A field without a value is as good as absent, as for Prometheus.
      if (refused === undefined) {
        if (field.node.value !== null) found[field.key as Name] = field;
        continue;
      }
      const at = { line: field.line, value: field.node.value };
      this.report(join(path, field.key), at, refused, "take the key out");
    }
    return found;
  }

  /** Items of a list; undefined when it is none. */
  items(path: Path, node: YamlNode): readonly YamlNode[] {
    if (node.items !== undefined) return node.items;
    this.report(path, node, "a list", "correct the value");
    return [];
  }

  /** Text that is not empty. */
  text(path: Path, node: YamlNode): string {
    if (typeof node.value === "string" && node.value.trim() !== "") return node.value;
    this.report(path, node, "text, not empty", "correct the value");
    return "";
  }

  /** A duration in Prometheus' notation; undefined for an absent field. */
  duration(path: Path, field: YamlField | undefined): string | undefined {
    if (field === undefined) return undefined;
    const { value } = field.node;
    if (typeof value === "string" && parseDuration(value) !== undefined) return value;
    this.report(path, field.node, "a duration such as 30s, 5m or 1h30m", "correct the value");
    return undefined;
  }

  /** A mapping of names to texts. */
  texts(path: Path, field: YamlField | undefined): Readonly<Record<string, string>> {
    if (field === undefined) return {};
    const { node } = field;
    if (node.fields === undefined) {
      this.report(path, node, "a mapping of names to texts", "correct the value");
      return {};
    }
    const entries: [string, string][] = [];
    for (const { key, node: value } of node.fields) {
      if (typeof value.value === "string") entries.push([key, value.value]);
      else if (value.value === null) entries.push([key, ""]);
      else this.report(join(path, key), value, "text", "correct the value");
    }
    return Object.fromEntries(entries);
  }

  /** Line of a field of a mapping, else of the mapping itself. */
  lineOf(field: YamlField | undefined, key: string): number {
    return field?.node.fields?.find((each) => each.key === key)?.line ?? field?.line ?? 0;
  }
}

function join(path: Path, key: string): Path {
  return path === "" ? key : `${path}.${key}`;
}

function show(value: unknown): string {
  const text = value === undefined || value === null ? "missing" : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
