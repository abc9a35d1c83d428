/** A preview as people decide on it: what holds data first, then what goes, changes and comes. */

import { PROJECT } from "../../model/names";
import { describeDifference } from "./differences";
import type { Change, PreviewDigest } from "./digest";
import { describeFinding, type Finding } from "./findings";

/** What is known about a step, beyond the engine's own preview. */
export interface Circumstances {
  readonly stack: string;
  readonly findings: readonly Finding[];
  /** False: no policy pack was there to be asked. */
  readonly wasPoliced: boolean;
  /** Sentences about history that becomes unqueryable. */
  readonly history: readonly string[];
  readonly exitCode: number;
}

/** Changes that are the same but for the names of their resources. */
export interface Group {
  readonly action: Change["action"];
  readonly kind: string;
  /** Names of the objects, sorted. */
  readonly names: readonly string[];
  /** What differs, the same in all of them. */
  readonly details: readonly string[];
  readonly holdsData: boolean;
  readonly isProtected: boolean;
}

/** A part of the summary; empty ones are left out. */
export interface Section {
  readonly title: string;
  readonly isDanger: boolean;
  readonly groups: readonly Group[];
  readonly lines: readonly string[];
}

/** A readable preview. */
export interface Summary {
  readonly title: string;
  /** What this step means, in one sentence. */
  readonly verdict: string;
  readonly isDanger: boolean;
  readonly sections: readonly Section[];
  /** How many resources stay; undefined when the preview broke off. */
  readonly unchanged: number | undefined;
}

/** Details of one group that are shown. */
const MOST_DETAILS = 8;

const ORDER: Readonly<Record<Change["action"], number>> = { delete: 0, replace: 1, update: 2, create: 3 };

function kindOf(type: string): string {
  const last = type.split(":").at(-1) ?? type;
  return type.startsWith("pulumi:providers:") ? `provider ${last}` : last;
}

function detailsOf(change: Change): readonly string[] {
  if (change.action === "create" || change.action === "delete") return [];
  if (change.differences.length === 0) return change.reasons;
  const lines = change.differences.map(describeDifference);
  const more = lines.length - MOST_DETAILS;
  return more > 0 ? [...lines.slice(0, MOST_DETAILS), `and ${String(more)} more`] : lines;
}

/** Puts equal changes of different shards together; the shards' own names in the details don't count. */
function grouped(changes: readonly Change[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const change of changes) {
    const name = change.object ?? change.name;
    const details = detailsOf(change);
    const neutral = details.map((line) => line.replaceAll(name, "(name)"));
    const kind = kindOf(change.type);
    const key = JSON.stringify([change.action, kind, change.bearsData, change.isProtected, neutral]);
    const names = [...(groups.get(key)?.names ?? []), name].sort();
    groups.set(key, {
      action: change.action,
      kind,
      names,
      details: names.length > 1 ? neutral : details,
      holdsData: change.bearsData,
      isProtected: change.isProtected,
    });
  }
  return [...groups.values()].sort(
    (left, right) =>
      ORDER[left.action] - ORDER[right.action] ||
      left.kind.localeCompare(right.kind) ||
      (left.names[0] ?? "").localeCompare(right.names[0] ?? ""),
  );
}

function verdictOf(digest: PreviewDigest, code: number, changes: readonly Change[]): string {
  const count = (action: Change["action"]): string =>
    String(changes.filter((change) => change.action === action).length);
  const counts = `${count("create")} added, ${count("update")} changed, ${count("replace")} replaced, ${count("delete")} deleted`;
  if (code === 2)
    return `DANGER: this step deletes or replaces what holds data, or makes history unqueryable (${counts}).`;
  if (digest.errors.length > 0) return `The preview failed (${counts} so far).`;
  if (code !== 0) return `A mandatory policy is not kept (${counts}).`;
  return changes.length === 0 ? "No changes." : `No data is at risk: ${counts}.`;
}

/** Errors of many resources as few lines: by the resources' own names, once each, in a fixed order. */
function errorLines(errors: readonly string[]): readonly string[] {
  const lines = errors
    .filter((error, _, all) => error !== "preview failed" || all.length === 1)
    .map((error) => error.replaceAll(/["']?urn:pulumi:[^\s"']*::([^\s"':]+)["']?/g, '"$1"'));
  return [...new Set(lines)].sort();
}

const ofAction = (changes: readonly Change[], action: Change["action"]): readonly Change[] =>
  changes.filter((change) => change.action === action && !change.bearsData);

/** Puts a preview into readable sections. */
export function summarise(digest: PreviewDigest, circumstances: Circumstances): Summary {
  const { stack, findings, wasPoliced, history, exitCode } = circumstances;
  // Neither components nor the stack itself are objects.
  const changes = digest.changes.filter(
    ({ type }) => !type.startsWith(`${PROJECT}:index:`) && type !== "pulumi:pulumi:Stack",
  );
  const section = (title: string, of: readonly Change[], isDanger = false): Section => ({
    title: `${title} (${String(of.length)})`,
    isDanger,
    groups: grouped(of),
    lines: [],
  });
  const list = (title: string, lines: readonly string[], isDanger = false): Section => ({
    title,
    isDanger,
    groups: [],
    lines,
  });
  const unpoliced = wasPoliced ? [] : ["no policy pack was run"];
  const sections = [
    section(
      "Holds data",
      changes.filter(({ bearsData }) => bearsData),
      true,
    ),
    list("History", history, exitCode === 2),
    section("Deleted", ofAction(changes, "delete")),
    section("Replaced", ofAction(changes, "replace")),
    section("Changed", ofAction(changes, "update")),
    section("Added", ofAction(changes, "create")),
    list("Policies", [...findings.map(describeFinding), ...unpoliced]),
    list("Errors", errorLines(digest.errors)),
    list("Warnings", digest.warnings),
  ];
  return {
    title: `Preview of stack ${stack}`,
    verdict: verdictOf(digest, exitCode, changes),
    isDanger: exitCode === 2,
    sections: sections.filter(({ groups, lines }) => groups.length + lines.length > 0),
    unchanged: digest.errors.length > 0 ? undefined : digest.unchanged,
  };
}

/** Marks of a group, such as `protected`. */
export function marksOf(group: Group): readonly string[] {
  return [...(group.holdsData ? ["HOLDS DATA"] : []), ...(group.isProtected ? ["protected"] : [])];
}
