/** `preview`: what an `up` would change, and which history it would make unqueryable. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseDuration } from "../../model/durations";
import type { Deployment, Outputs } from "../deployment";
import { clusterOf, parseOutputs, withQuery } from "../deployment";
import type { Arguments, Command } from "../flags";
import { repositoryRoot } from "../paths";
import type { PreviewDigest } from "../preview/digest";
import { digestPreview } from "../preview/digest";
import { readFindings, type Finding } from "../preview/findings";
import type { ShardHistory } from "../preview/history";
import { askHistory, describeHistory } from "../preview/history";
import { summaryMarkdown } from "../preview/markdown";
import { describeRetention, losesHistory } from "../preview/retention";
import { summarise } from "../preview/summary";
import { summaryText } from "../preview/text";
import { PrometheusApi, PrometheusApiError } from "../prometheus-api";
import { PulumiStack } from "../pulumi";
import { deployedShards, readStackConfig } from "../stack-config";
import { checkStoragePhase, deployedPhase, isLocalInBucket } from "../storage-phase";
import { say, step, UserError } from "../terminal";

/** Days asked for when the stack's config sets no retention. */
const defaultWindow = 31 * 86_400_000;

/** What older CLIs need on PATH to start a policy pack. */
const PLUGINS = join(repositoryRoot, "tools", "preview", "plugins");

/** Exit code of `--expect-no-changes` when there are some. */
const CHANGED = 3;

/** Shards that the step takes away, and what they hold. */
interface Leaving {
  readonly shards: readonly number[];
  /** Of those that could be asked. */
  readonly histories: readonly ShardHistory[];
  /** Why the others could not. */
  readonly problem: string | undefined;
}

/** What decides on a step, beyond the engine's preview. */
interface Losses extends Pick<Leaving, "shards" | "histories"> {
  /** What local disks forget is in the bucket; default: false. */
  readonly localIsInBucket?: boolean;
}

/**
 * Exit code: 2 when something that holds data goes, or history becomes unqueryable, also when protection keeps the
 * step from being done; 1 on errors and mandatory findings; 3 on any change when none was expected.
 */
export function exitCode(
  digest: PreviewDigest,
  { shards, histories, localIsInBucket = false }: Losses,
  findings: readonly Finding[] = [],
  expectNoChanges = false,
): number {
  if (digest.changes.some(({ bearsData }) => bearsData)) return 2;
  if (digest.errors.length > 0 || findings.some(({ isMandatory }) => isMandatory)) return 1;
  if (digest.changes.some(({ shortens }) => shortens.some((each) => losesHistory(each, localIsInBucket)))) return 2;
  if (shards.length > histories.length || histories.some(({ span }) => span !== undefined)) return 2;
  return expectNoChanges && digest.changes.length > 0 ? CHANGED : 0;
}

/** The policy pack of this repository, if it has one. */
function policyPack(): string | undefined {
  const folder = join(repositoryRoot, "policies");
  return existsSync(join(folder, "PulumiPolicy.yaml")) ? folder : undefined;
}

/** Runs the engine's preview, with the policy pack when there is one. */
async function engine(
  pulumi: PulumiStack,
  refresh: boolean,
  pack: string | undefined,
): Promise<{ readonly digest: PreviewDigest; readonly findings: readonly Finding[] }> {
  const scratch = mkdtempSync(join(tmpdir(), "scaled-prometheus-preview-"));
  const log = join(scratch, "events.json");
  try {
    // `--json` leaves findings out; the event log, a debugging aid of the CLI, has them.
    const policies = pack === undefined ? [] : ["--policy-pack", pack, "--event-log", log];
    const flags = [...(refresh ? ["--refresh"] : []), ...policies];
    const environment = { PULUMI_DEBUG_COMMANDS: "true", PATH: [process.env.PATH ?? "", PLUGINS].join(delimiter) };
    const digest = digestPreview(await pulumi.previewJson(flags, environment));
    return { digest, findings: existsSync(log) ? readFindings(readFileSync(log, "utf8")) : [] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Asks the running pipeline what the shards hold that the step would take away. */
async function leavingShards(stack: string, outputs: unknown, isSound: boolean): Promise<Leaving> {
  // A stack that makes a cluster has no shards.
  const hasShards = typeof outputs === "object" && outputs !== null && "shards" in outputs;
  const deployed = hasShards ? parseOutputs(outputs) : undefined;
  const config = readStackConfig(stack);
  const next = deployedShards(config);
  const shards = deployed?.shards.map(({ index }) => index).filter((index) => !next.has(index)) ?? [];
  if (deployed === undefined || shards.length === 0 || !isSound) return { shards, histories: [], problem: undefined };
  const histories: ShardHistory[] = [];
  const deployment: Deployment = {
    stack,
    outputs: deployed,
    target: { ...clusterOf(stack), namespace: deployed.namespace },
  };
  const retention = config.retention === undefined ? undefined : parseDuration(config.retention);
  const window = Math.max(retention ?? 0, defaultWindow);
  try {
    await step(`asking the root for the history of shard ${shards.join(", ")}`, () =>
      withQuery(deployment, async (url) => {
        for (const shard of shards) histories.push(await askHistory(new PrometheusApi(url), shard, Date.now(), window));
      }),
    );
  } catch (error) {
    if (!(error instanceof PrometheusApiError) && !(error instanceof UserError)) throw error;
    return { shards, histories, problem: error.message };
  }
  return { shards, histories, problem: undefined };
}

/** Retentions that get shorter, once each. */
function retentionLines(digest: PreviewDigest, localIsInBucket: boolean): readonly string[] {
  const lines = digest.changes.flatMap(({ shortens }) =>
    shortens.map((each) => describeRetention(each, localIsInBucket)),
  );
  return [...new Set(lines)];
}

/** What leaving object storage means. */
const SWITCHED_OFF =
  "object storage is switched off: what is older than the local disks keep becomes unqueryable; a bucket that the stack " +
  "made stays, with its blocks and its key";

function historyLines(
  digest: PreviewDigest,
  { shards, histories, problem }: Leaving,
  storage: { readonly localIsInBucket: boolean; readonly isSwitchedOff: boolean },
): readonly string[] {
  const lines = [...(storage.isSwitchedOff ? [SWITCHED_OFF] : []), ...retentionLines(digest, storage.localIsInBucket)];
  if (shards.length === 0) return lines;
  return [
    ...lines,
    `no longer deployed after this step, with its volume claim kept: shard ${shards.join(", ")}`,
    ...histories.map(describeHistory),
    ...(problem === undefined ? [] : [`its history could not be asked for: ${problem}`]),
  ];
}

async function run(args: Arguments): Promise<number> {
  const { stack } = args;
  if (args.has("json") && args.has("markdown")) throw new UserError("--json and --markdown exclude each other");
  const pulumi = await PulumiStack.open(stack, { create: false });
  if (pulumi === undefined) {
    throw new UserError(`stack ${stack} does not exist yet: everything would be new`, `make up STACK=${stack}`);
  }
  const outputs = await pulumi.outputs();
  const config = readStackConfig(stack);
  const deploymentOf = (known: Outputs): Deployment => ({
    stack,
    outputs: known,
    target: { ...clusterOf(stack), namespace: known.namespace },
  });
  await checkStoragePhase(outputs, config, deploymentOf);
  const pack = policyPack();
  const { digest, findings } = await step(`pulumi preview, stack ${stack}`, () =>
    engine(pulumi, args.has("refresh"), pack),
  );
  const leaving = await leavingShards(stack, outputs, digest.errors.length === 0);
  const shrinks = digest.changes.some(({ shortens }) => shortens.some(({ place }) => place === "local"));
  const localIsInBucket = shrinks && (await isLocalInBucket(outputs, config, deploymentOf));
  const code = exitCode(digest, { ...leaving, localIsInBucket }, findings, args.has("expect-no-changes"));
  if (args.has("json")) {
    const { shards, histories, problem } = leaving;
    const result = { stack, ...digest, findings, leaving: shards, histories, problem, exitCode: code };
    process.stdout.write(`${JSON.stringify(result)}\n`);
    return code;
  }
  const summary = summarise(digest, {
    stack,
    findings,
    wasPoliced: pack !== undefined,
    history: historyLines(digest, leaving, {
      localIsInBucket,
      isSwitchedOff: config.storagePhase === "off" && (deployedPhase(outputs) ?? "off") !== "off",
    }),
    exitCode: code,
  });
  const inColor = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  process.stdout.write(args.has("markdown") ? summaryMarkdown(summary) : summaryText(summary, inColor));
  if (code === 2) say("attention: this step takes data away from queries, or deletes it (exit code 2)");
  if (code === CHANGED) say(`attention: no change was expected (exit code ${String(CHANGED)})`);
  return code;
}

export const previewCommand: Command = {
  name: "preview",
  summary: "what an up would change, and which history it would make unqueryable",
  usage: "[STACK] [flags]",
  details: [
    "Exit 0: nothing that holds data goes. Exit 2: a shard's StatefulSet, a claim, the namespace, a bucket, a key or a\n" +
      "cluster is deleted or replaced (or would be, if it were not protected), or a shard that still has samples is no\n" +
      "longer deployed, or a retention gets shorter. Exit 1: the preview failed, or a mandatory policy is not kept. Exit 3: --expect-no-changes, and\n" +
      "there are some.",
  ],
  flags: {
    refresh: { description: "compare with the cluster's real state first" },
    "expect-no-changes": { description: "exit 3 when anything would change" },
    json: { description: "print JSON" },
    markdown: { description: "print Markdown, for a pull request" },
  },
  run,
};
