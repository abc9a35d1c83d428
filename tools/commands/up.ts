/** `up`: deploys a stack, feeds it, asks the root, and shows that the answer is the ledger's number. */

import { setTimeout as sleep } from "node:timers/promises";
import { BATCH_METRIC } from "../../model/names";
import { expectInstant } from "../check/expected";
import { Stored } from "../check/stored";
import { MissingProgramError, run as runProgram } from "../child";
import type { Deployment } from "../deployment";
import { clusterOf, findDeployment, parseOutputs, withPush, withQuery } from "../deployment";
import { defaultFleet } from "../feed/fleet";
import { readLedger } from "../feed/ledger";
import { feedWithLedger, ledgerPath, newLedger, newRunName } from "../feed/run";
import type { Arguments, Command } from "../flags";
import { interruptSignal } from "../flags";
import { kubectl } from "../kubectl";
import { PrometheusApi, PrometheusApiError } from "../prometheus-api";
import { PulumiStack } from "../pulumi";
import { readStackConfig } from "../stack-config";
import { checkStoragePhase } from "../storage-phase";
import { grouped, table } from "../table";
import { say, step, UserError } from "../terminal";

const lookback = 300_000;

/** What must be true before anything is started. */
async function checkPreconditions(stack: string): Promise<void> {
  if (readStackConfig(stack).makesCluster) {
    throw new UserError(`stack ${stack} makes a cluster: there is nothing to feed`, `pulumi up --stack ${stack}`);
  }
  for (const [program, args] of [
    ["pulumi", ["version"]],
    ["kubectl", ["version", "--client"]],
  ] as const) {
    try {
      await runProgram(program, args, { environment: { PULUMI_SKIP_UPDATE_CHECK: "true" } });
    } catch (error) {
      if (!(error instanceof MissingProgramError)) throw error;
      throw new UserError(error.message, "make up brings it along; make doctor says what is missing");
    }
  }
  await kubectl(clusterOf(stack), ["get", "--raw", "/readyz", "--request-timeout=20s"]);
}

async function deploy(stack: string): Promise<Deployment> {
  await step(`pulumi up, stack ${stack}`, async (progress) => {
    const pulumi = await PulumiStack.open(stack, { create: true });
    if (pulumi === undefined) throw new UserError(`stack ${stack} can't be made`);
    const target = clusterOf(stack);
    await checkStoragePhase(await pulumi.outputs(), readStackConfig(stack), (outputs) => ({
      stack,
      outputs,
      target: { ...target, namespace: outputs.namespace },
    }));
    await pulumi.up(progress);
    parseOutputs(await pulumi.outputs());
  });
  return findDeployment(stack);
}

/** Pushes `rounds` rounds at once; gives the ledger and the timestamp of the last round. */
async function feed(
  deployment: Deployment,
  rounds: number,
): Promise<{ readonly stored: Stored; readonly path: string }> {
  const run = newRunName();
  const path = ledgerPath(deployment.stack, run);
  const { signal, dispose } = interruptSignal("stopping the feed");
  try {
    await step(`feed ${String(rounds)} rounds of a Magma-sized fleet`, (progress) =>
      withPush(deployment, async (url) => {
        const report = await feedWithLedger(
          newLedger(path, run, defaultFleet, 60),
          {
            url: `${url}/metrics`,
            intervalSeconds: 60,
            backfillRounds: rounds,
            rounds: 0,
            durationSeconds: 600,
            spreadSeconds: 0,
            concurrency: 16,
            deadlineSeconds: 120,
            signal,
          },
          progress,
        );
        if (signal.aborted) throw new UserError("stopped", "make up can be run again");
        const failed = report.rounds.reduce((total, round) => total + round.failed, 0);
        if (failed > 0)
          throw new UserError(`${String(failed)} pushes failed (above)`, `make status STACK=${deployment.stack}`);
      }),
    );
  } finally {
    dispose();
  }
  return { stored: new Stored(readLedger(path)), path };
}

/** Asks until the root counts what was pushed, or the deadline is over; gives the last count. */
async function awaitCount(
  api: PrometheusApi,
  query: string,
  at: number,
  pushed: number,
  deadlineSeconds: number,
  progress: (note: string) => void,
): Promise<number> {
  const deadline = Date.now() + deadlineSeconds * 1_000;
  let counted = 0;
  let problem: PrometheusApiError | undefined;
  while (Date.now() < deadline) {
    try {
      counted = await api.number(query, at);
      problem = undefined;
      if (counted === pushed) return counted;
      progress(`${grouped(counted)} of ${grouped(pushed)} series`);
    } catch (error) {
      if (!(error instanceof PrometheusApiError)) throw error;
      problem = error;
      progress(error.message);
    }
    await sleep(1_000);
  }
  if (problem !== undefined) throw new UserError(problem.message, "make status tells which part is not ready");
  return counted;
}

async function summarise(
  api: PrometheusApi,
  deployment: Deployment,
  run: string,
  at: number,
  pushed: number,
  counted: number,
): Promise<void> {
  const { stack, outputs } = deployment;
  const byShard = await api.vector(`count by (shard) ({feed_run="${run}"})`, at);
  const series = new Map(byShard.samples.map(({ labels, value }) => [labels.shard ?? "", value]));
  const rows = outputs.shards.map((shard) => [
    shard.name,
    shard.retired ? "retired" : "in the ring",
    grouped(series.get(String(shard.index)) ?? 0),
  ]);
  process.stdout.write(`\n${table(["shard", "", "series of this run"], rows).join("\n")}\n`);
  process.stdout.write(
    `\nledger: ${grouped(pushed)} series acknowledged   root: count({feed_run="${run}"}) = ${grouped(counted)}\n`,
  );
  const everything = await api.number(`count({__name__=~".+"})`, at);
  const notOfRun = `__name__=~".+",__name__!="${BATCH_METRIC}",feed_run!="${run}"`;
  const others = await api.vector(`count by (job, feed_run) ({${notOfRun}})`, at);
  const numbers = await api.vector(`count(${BATCH_METRIC})`, at);
  const items = others.samples
    .map(({ labels, value }) => ({
      value,
      what:
        labels.feed_run === undefined
          ? `job ${labels.job ?? "(none)"}`
          : `earlier feed ${labels.feed_run}, job ${labels.job ?? "(none)"}`,
    }))
    .concat(numbers.samples.map(({ value }) => ({ value, what: `numbers of the exporters' writes, ${BATCH_METRIC}` })))
    .sort((left, right) => right.value - left.value);
  process.stdout.write(`root: count({__name__=~".+"}) = ${grouped(everything)}, of which not of this run:\n`);
  for (const { what, value } of items) process.stdout.write(`  ${grouped(value).padStart(8)}  ${what}\n`);
  const sumOfParts = counted + items.reduce((total, { value }) => total + value, 0);
  if (sumOfParts !== everything) {
    process.stdout.write(`  (${grouped(everything - sumOfParts)} more came or went while this was asked)\n`);
  }
  process.stdout.write(
    [
      "",
      "Query page:   " + outputs.portForward.query,
      "Push:         " + outputs.portForward.push,
      "Alertmanager: " + outputs.portForward.alertmanager,
      "",
      "Try next:",
      `  make query STACK=${stack} Q='sum by (networkID) (rate(ue_attach_total[5m]))'`,
      `  make feed STACK=${stack}       pushes every 60 s for an hour, or until you stop it`,
      `  make status STACK=${stack}     what runs, where, how full`,
      `  make preview STACK=${stack}    after changing Pulumi.${stack}.yaml: what would happen`,
      `  make down STACK=${stack}       takes everything away`,
      "",
    ].join("\n"),
  );
}

async function run(args: Arguments): Promise<number> {
  const { stack } = args;
  // The Makefile sets it before it builds tools and cluster, so that `seconds` covers the whole command.
  const startedAt = Number(process.env.SCALED_PROMETHEUS_STARTED_AT ?? "") || Date.now();
  await step("checking tools, config and cluster", () => checkPreconditions(stack));
  const deployment = await deploy(stack);
  if (args.has("no-feed")) {
    say(`stack ${stack} is up in namespace ${deployment.outputs.namespace}; no feed was asked for`);
    return 0;
  }
  const { stored, path } = await feed(deployment, args.integer("rounds", 3, 1, 20));
  // Thanos asks shards for whole seconds only: the next one, so that no sample is too young for it.
  const at = Math.ceil((stored.span?.last ?? Date.now()) / 1_000) * 1_000;
  const pushed = expectInstant(stored, { at, settledBefore: Infinity }, lookback).count.least;
  return withQuery(deployment, async (url) => {
    const api = new PrometheusApi(url);
    const query = `count({feed_run="${stored.fleet.run}"})`;
    const counted = await step("asking the root until it counts every acknowledged series", (progress) =>
      awaitCount(api, query, at, pushed, args.seconds("wait", 180, 1, 3_600), progress),
    );
    await summarise(api, deployment, stored.fleet.run, at, pushed, counted);
    const seconds = Math.round((Date.now() - startedAt) / 100) / 10;
    if (counted !== pushed) {
      say(`error: the root counts ${grouped(counted)} series, acknowledged were ${grouped(pushed)}`);
      say(`  what to do: make feed-check STACK=${stack} lists the differences (ledger ${path})`);
    }
    process.stdout.write(`RESULT ${JSON.stringify({ pushed, counted, seconds })}\n`);
    return counted === pushed ? 0 : 1;
  });
}

export const upCommand: Command = {
  name: "up",
  summary: "deploy a stack, feed it, and compare the root's answer with what was pushed",
  usage: "[STACK] [flags]",
  details: [
    "The last line of the output is RESULT {json}. Exit 1 when the numbers differ. It can be run again at any time.",
  ],
  flags: {
    rounds: { value: "n", description: "rounds of the feed, one minute apart, sent at once", default: "3" },
    wait: { value: "time", description: "how long the root may take until its count is right", default: "180" },
    "no-feed": { description: "only deploy" },
  },
  run,
};
