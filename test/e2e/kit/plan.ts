import { digestPreview, type PreviewDigest } from "../../../tools/preview/digest";
import { lastLines } from "./command";
import type { Workspace } from "./workspace";

/** What an `up` of a stack that tools/cli.ts has made would do, by the engine's own `preview --json`. */
export async function planOf(
  workspace: Workspace,
  stack: string,
  flags: readonly string[] = [],
): Promise<PreviewDigest> {
  const result = await workspace.pulumi(["preview", "--json", ...flags, ...workspace.stackOfTools(stack)]);
  const start = result.stdout.indexOf("{");
  if (start < 0) throw new Error(`preview --json gave no JSON:\n${lastLines(result)}`);
  return digestPreview(JSON.parse(result.stdout.slice(start)));
}

/** `delete Deployment hub-shard-2-a`, sorted. */
export function described(plan: PreviewDigest): readonly string[] {
  return plan.changes
    .map(({ action, type, object, name }) => `${action} ${type.split(":").at(-1) ?? type} ${object ?? name}`)
    .sort();
}

/** Changes to the StatefulSets, claims and Services of shards. */
export function touchesShards(plan: PreviewDigest, shards: readonly number[]): readonly string[] {
  const ofShards = new RegExp(` (StatefulSet|Service|PersistentVolumeClaim) .*-shard-(${shards.join("|")})-`);
  return described(plan).filter((line) => ofShards.test(line));
}
