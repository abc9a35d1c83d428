/** Pulumi's `preview --json`, reduced to what a person decides on. */

import { z } from "zod";
import { UserError } from "../terminal";
import { differencesOf, type Difference } from "./differences";
import { shorterRetentions, type ShorterRetention } from "./retention";

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
  /** What differs, by the inputs of the last deployment and of this one. */
  readonly differences: readonly Difference[];
  /** Retentions that it makes shorter. */
  readonly shortens: readonly ShorterRetention[];
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

/** Types that hold data whatever they are called: a namespace and a cluster take all of it along, a key locks it up. */
const DATA_TYPES: ReadonlySet<string> = new Set([
  "aws:eks/cluster:Cluster",
  "aws:kms/key:Key",
  "aws:s3/bucket:Bucket",
  "kubernetes:core/v1:Namespace",
  "kubernetes:core/v1:PersistentVolume",
  "kubernetes:core/v1:PersistentVolumeClaim",
  "pulumi:providers:kubernetes",
]);

/** StatefulSets with samples of their own (shards, and Rulers with what they recorded), and those that lead to the bucket. */
const DATA_SETS = /^(prometheus|ruler|store)(-|$)/;

function bearsData(type: string, action: Change["action"], object: string | undefined): boolean {
  if (action !== "delete" && action !== "replace") return false;
  if (type === "kubernetes:apps/v1:StatefulSet") return object === undefined || DATA_SETS.test(object);
  return DATA_TYPES.has(type);
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
      name: step.urn.split("::").slice(3).join("::"),
      object,
      reasons: action === "create" || action === "delete" ? [] : [...reasons].sort(),
      differences:
        step.oldState?.inputs && step.newState?.inputs ? differencesOf(step.oldState.inputs, step.newState.inputs) : [],
      shortens: action === "update" ? shorterRetentions(step.oldState?.inputs, step.newState?.inputs) : [],
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
