/** `preview`: what an `up` would change, and which history it would make unqueryable. */

import { parseDuration } from "../../model/durations";
import type { Deployment } from "../deployment";
import { clusterOf, parseOutputs, withQuery } from "../deployment";
import type { Arguments, Command } from "../flags";
import type { PreviewDigest } from "../preview/digest";
import { digestPreview, formatDigest } from "../preview/digest";
import type { ShardHistory } from "../preview/history";
import { askHistory, describeHistory } from "../preview/history";
import { PrometheusApi, PrometheusApiError } from "../prometheus-api";
import { PulumiStack } from "../pulumi";
import { deployedShards, readStackConfig } from "../stack-config";
import { checkStoragePhase } from "../storage-phase";
import { say, step, UserError } from "../terminal";

/** Days asked for when the stack's config sets no retention. */
const defaultWindow = 31 * 86_400_000;

/** Exit code: 2 when something that holds data goes, or history becomes unqueryable; 1 on errors. */
export function exitCode(
  digest: PreviewDigest,
  leaving: readonly number[],
  histories: readonly ShardHistory[],
): number {
  if (digest.errors.length > 0) return 1;
  if (digest.changes.some(({ bearsData }) => bearsData)) return 2;
  const unknown = leaving.length > histories.length;
  return unknown || histories.some(({ span }) => span !== undefined) ? 2 : 0;
}

async function run(args: Arguments): Promise<number> {
  const { stack } = args;
  const pulumi = await PulumiStack.open(stack, { create: false });
  if (pulumi === undefined) {
    throw new UserError(`stack ${stack} does not exist yet: everything would be new`, `make up STACK=${stack}`);
  }
  const config = readStackConfig(stack);
  const deployed = await pulumi.outputs();
  await checkStoragePhase(deployed, config, (known) => ({
    stack,
    outputs: known,
    target: { ...clusterOf(stack), namespace: known.namespace },
  }));
  const extra = args.has("refresh") ? ["--refresh"] : [];
  const digest = await step(`pulumi preview, stack ${stack}`, async () =>
    digestPreview(await pulumi.previewJson(extra)),
  );
  const outputs = parseOutputs(deployed);
  const next = deployedShards(config);
  const leaving = outputs?.shards.map(({ index }) => index).filter((index) => !next.has(index)) ?? [];
  const histories: ShardHistory[] = [];
  let problem: string | undefined;
  if (outputs !== undefined && leaving.length > 0 && digest.errors.length === 0) {
    const deployment: Deployment = { stack, outputs, target: { ...clusterOf(stack), namespace: outputs.namespace } };
    const window = Math.max(
      (config.retention === undefined ? undefined : parseDuration(config.retention)) ?? 0,
      defaultWindow,
    );
    try {
      await step(`asking the root for the history of shard ${leaving.join(", ")}`, () =>
        withQuery(deployment, async (url) => {
          for (const shard of leaving)
            histories.push(await askHistory(new PrometheusApi(url), shard, Date.now(), window));
        }),
      );
    } catch (error) {
      if (!(error instanceof PrometheusApiError) && !(error instanceof UserError)) throw error;
      problem = error.message;
    }
  }
  const code = exitCode(digest, leaving, histories);
  if (args.has("json")) {
    process.stdout.write(`${JSON.stringify({ stack, ...digest, leaving, histories, problem, exitCode: code })}\n`);
    return code;
  }
  const lines = [...formatDigest(digest)];
  if (leaving.length > 0) {
    lines.push("", "No longer deployed after this step (its volume claim is kept):");
    lines.push(...histories.map((history) => `  ${describeHistory(history)}`));
    if (problem !== undefined)
      lines.push(`  shard ${leaving.join(", ")}: its history could not be asked for: ${problem}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
  if (code === 2) say("attention: this step takes data away from queries, or deletes it (exit code 2)");
  return code;
}

export const previewCommand: Command = {
  name: "preview",
  summary: "what an up would change, and which history it would make unqueryable",
  usage: "[STACK] [flags]",
  details: [
    "Exit 0: nothing that holds data goes. Exit 2: a shard's StatefulSet, a claim or the namespace is deleted or replaced,\n" +
      "or a shard that still has samples is no longer deployed. Exit 1: the preview failed.",
  ],
  flags: {
    refresh: { description: "compare with the cluster's real state first" },
    json: { description: "print JSON" },
  },
  run,
};
