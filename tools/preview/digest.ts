/** Pulumi's `preview --json`, reduced to what a person decides on. */

import { z } from "zod";
import { UserError } from "../terminal";

const stateSchema = z.looseObject({
  type: z.string().optional(),
  protect: z.boolean().optional(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
});
const stepSchema = z.looseObject({
  op: z.string(),
  urn: z.string(),
  oldState: stateSchema.nullish(),
  newState: stateSchema.nullish(),
  diffReasons: z.array(z.string()).nullish(),
  replaceReasons: z.array(z.string()).nullish(),
  detailedDiff: z.record(z.string(), z.unknown()).nullish(),
});
const digestSchema = z.looseObject({
  steps: z.array(stepSchema).nullish(),
  changeSummary: z.record(z.string(), z.number()).nullish(),
  diagnostics: z
    .array(z.looseObject({ severity: z.string().nullish(), message: z.string().nullish(), urn: z.string().nullish() }))
    .nullish(),
});

/** What happens to one resource. */
export interface Change {
  readonly action: "create" | "update" | "replace" | "delete";
  readonly type: string;
  readonly name: string;
  /** Name of the Kubernetes object, if it is one. */
  readonly object: string | undefined;
  /** Property paths that differ, or that force the replacement. */
  readonly reasons: readonly string[];
  /** Deleting or replacing it makes stored samples unreachable, or deletes them. */
  readonly bearsData: boolean;
  readonly isProtected: boolean;
}

export interface PreviewDigest {
  readonly changes: readonly Change[];
  readonly unchanged: number;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const actions: Readonly<Record<string, Change["action"]>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
};

/** `kubernetes:apps/v1:StatefulSet` from a URN. */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function objectName(step: z.infer<typeof stepSchema>): string | undefined {
  const metadata = (step.newState?.inputs ?? step.oldState?.inputs)?.metadata;
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return undefined;
  return typeof metadata.name === "string" ? metadata.name : undefined;
}

/** StatefulSets of shards hold the series, or the way to the bucket, claims their volumes; a namespace takes all of it along. */
function bearsData(type: string, action: Change["action"], object: string | undefined): boolean {
  if (action !== "delete" && action !== "replace") return false;
  if (type === "kubernetes:apps/v1:StatefulSet") return /^(prometheus|store)-/.test(object ?? "prometheus-");
  return type === "kubernetes:core/v1:Namespace" || /^kubernetes:core\/v1:PersistentVolume(Claim)?$/.test(type);
}

/** Pulumi remarks on every plugin that it finds on PATH, which is where the local toolchain puts them. */
const fromPath = /^using pulumi-\S+ from \$PATH at /;

/** Reads `pulumi preview --json`. */
export function digestPreview(json: unknown): PreviewDigest {
  const parsed = digestSchema.safeParse(json);
  if (!parsed.success) {
    throw new UserError(`pulumi preview --json gave something unexpected:\n${z.prettifyError(parsed.error)}`);
  }
  const changes: Change[] = [];
  for (const step of parsed.data.steps ?? []) {
    // A replacement also appears as create-replacement and delete-replaced: `replace` stands for all three.
    const action = actions[step.op];
    if (action === undefined) continue;
    const type = typeOf(step.urn);
    const object = objectName(step);
    const differs = Object.keys(step.detailedDiff ?? {});
    const reasons =
      action === "replace" ? (step.replaceReasons ?? []) : differs.length > 0 ? differs : (step.diffReasons ?? []);
    changes.push({
      action,
      type,
      name: step.urn.split("::").at(-1) ?? step.urn,
      object,
      reasons: action === "create" || action === "delete" ? [] : [...reasons].sort(compare),
      bearsData: bearsData(type, action, object),
      isProtected: step.oldState?.protect === true,
    });
  }
  const messages = (severity: string): readonly string[] =>
    (parsed.data.diagnostics ?? [])
      .filter((one) => one.severity === severity)
      .map(({ message }) => (message ?? "").replaceAll(/<\{%[^%]*%\}>/g, "").trim())
      .map((message) => (message.startsWith(`${severity}: `) ? message.slice(severity.length + 2) : message))
      .filter((message, index, all) => message !== "" && all.indexOf(message) === index && !fromPath.test(message));
  return {
    changes,
    unchanged: parsed.data.changeSummary?.same ?? 0,
    errors: messages("error"),
    warnings: messages("warning"),
  };
}

const signs: Readonly<Record<Change["action"], string>> = { create: "+", update: "~", replace: "+-", delete: "-" };

/** `StatefulSet prometheus-shard-0-a` */
function labelOf({ type, object, name }: Change): string {
  return `${type.split(":").at(-1) ?? type} ${object ?? name}`;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The digest as lines: what goes or is replaced first, then updates with their reasons, then what is new. */
export function formatDigest(digest: PreviewDigest): readonly string[] {
  const lines: string[] = [];
  for (const action of ["delete", "replace", "update", "create"] as const) {
    // The engine's order changes from run to run.
    const changes = digest.changes
      .filter((change) => change.action === action)
      .sort(
        (left, right) => Number(right.bearsData) - Number(left.bearsData) || compare(labelOf(left), labelOf(right)),
      );
    if (changes.length === 0) continue;
    lines.push(`${action} (${String(changes.length)}):`);
    for (const change of changes) {
      const marks = [...(change.bearsData ? ["HOLDS DATA"] : []), ...(change.isProtected ? ["protected"] : [])];
      const mark = marks.length === 0 ? "" : `  [${marks.join(", ")}]`;
      const shown = change.reasons.slice(0, 6).join(", ");
      const more = change.reasons.length > 6 ? ` and ${String(change.reasons.length - 6)} more` : "";
      const reasons = change.reasons.length === 0 ? "" : `: ${shown}${more}`;
      lines.push(`  ${signs[action].padEnd(2)} ${labelOf(change)}${reasons}${mark}`);
    }
  }
  if (digest.changes.length === 0) lines.push("no changes");
  lines.push(`${String(digest.unchanged)} resources stay as they are`);
  return [
    ...lines,
    ...digest.warnings.map((message) => `warning: ${message}`),
    ...digest.errors.map((message) => `error: ${message}`),
  ];
}
