/** `check`: compares the root's answers with the ledger of a feed, once or until stopped. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckOptions } from "../check/checks";
import { checkAggregates, checkSamples, defaultCheckOptions } from "../check/checks";
import type { MomentReport } from "../check/report";
import { formatMoment, mismatchesOf } from "../check/report";
import type { StepReport } from "../check/steps/report";
import { formatSteps, wrongSteps } from "../check/steps/report";
import { checkSteps } from "../check/steps/run";
import { Stored } from "../check/stored";
import { findDeployment, withQuery } from "../deployment";
import { readLedger } from "../feed/ledger";
import type { Arguments, Command } from "../flags";
import { interruptSignal } from "../flags";
import { ledgerDirectory } from "../paths";
import { PrometheusApi, PrometheusApiError } from "../prometheus-api";
import { grouped } from "../table";
import { say, step, UserError } from "../terminal";

/** The newest ledger of a stack; run names sort by time. */
export function latestLedger(stack: string): string {
  const directory = ledgerDirectory(stack);
  const newest = existsSync(directory)
    ? readdirSync(directory)
        .filter((name) => name.endsWith(".jsonl"))
        .sort()
        .at(-1)
    : undefined;
  if (newest === undefined)
    throw new UserError(`no ledger of stack ${stack} in ${directory}`, `make feed STACK=${stack}`);
  return join(directory, newest);
}

interface Settings {
  readonly ledger: string;
  readonly options: CheckOptions;
  /** Milliseconds after an acknowledgement until the sample must be readable. */
  readonly settle: number;
  readonly samples: boolean;
  readonly allowDuplicates: boolean;
  /** The scrape interval (ms) at whose every multiple the run is compared; undefined leaves that out. */
  readonly steps: number | undefined;
}

/** Window (ms) of `increase` in the check of every step. */
const STEP_WINDOW = 600_000;

/** A duration in ms. */
function duration(args: Arguments, name: string, fallback: number): number {
  return Math.round(args.seconds(name, fallback / 1_000, 0.001, 30 * 86_400) * 1_000);
}

/** Thanos sends times to the shards in whole seconds, so an answer at any other time is one for another time. */
const second = 1_000;

/** One check at `at` (ms); samples are read back from `samplesFrom` (ms) on. */
async function checkMoment(
  api: PrometheusApi,
  stored: Stored,
  at: number,
  settings: Settings,
  onProgress: (note: string) => void,
  samplesFrom = (stored.span?.first ?? at) - 1,
): Promise<MomentReport> {
  const startedAt = Date.now();
  const context = {
    api,
    stored,
    moment: { at, settledBefore: startedAt - settings.settle },
    options: settings.options,
  };
  onProgress("aggregates");
  const { checks, duplicates } = await checkAggregates(context, settings.allowDuplicates);
  const wanted = settings.samples && samplesFrom < at;
  const samples = wanted ? [await checkSamples(context, samplesFrom, onProgress)] : [];
  return { at, checks: [...checks, ...samples], duplicates, milliseconds: Date.now() - startedAt };
}

/** Every evaluation step of the run, when that was asked for. */
async function everyStep(
  api: PrometheusApi,
  stored: Stored,
  settings: Settings,
  onProgress: (note: string) => void,
): Promise<StepReport | undefined> {
  if (settings.steps === undefined) return undefined;
  const { lookback, tolerance } = settings.options;
  const settledBefore = Date.now() - settings.settle;
  const times = { interval: settings.steps, lookback, window: STEP_WINDOW, settledBefore };
  return checkSteps({ api, stored, tolerance, ...times }, onProgress);
}

async function once(api: PrometheusApi, args: Arguments, settings: Settings): Promise<number> {
  const stored = new Stored(readLedger(settings.ledger));
  const { span } = stored;
  if (span === undefined) throw new UserError(`ledger ${settings.ledger} has no acknowledged push: nothing to compare`);
  const moments = args.has("at") ? args.texts("at").map((text) => args.time(text, Date.now())) : [span.last];
  const history = args.integer("history", 0, 0, 1_000);
  for (let index = 1; index <= history; index++) {
    const position = Math.floor(((stored.timestamps.length - 1) * (index - 1)) / history);
    moments.push(stored.timestamps[position] ?? span.first);
  }
  const reports: MomentReport[] = [];
  let steps: StepReport | undefined;
  await step(`check feed ${stored.fleet.run}`, async (progress) => {
    const wait = stored.lastAcknowledgement + settings.settle - Date.now();
    if (wait > 0) {
      progress(`waiting ${String(Math.ceil(wait / 1_000))} s until the last push must be readable`);
      await sleep(wait);
    }
    // A feed that goes on may have pushed in the rest of the last moment's second.
    const now = new Stored(readLedger(settings.ledger));
    // The samples up to the latest moment hold those of the others.
    const whole = moments.map((moment) => Math.ceil(moment / second) * second);
    const latest = Math.max(...whole);
    for (const at of [...new Set(whole)].sort((left, right) => left - right)) {
      const samples = settings.samples && at === latest;
      reports.push(await checkMoment(api, now, at, { ...settings, samples }, progress));
    }
    steps = await everyStep(api, now, settings, progress);
  });
  for (const line of reports.flatMap(formatMoment)) say(line);
  const ofSteps =
    steps === undefined ? { compared: 0, wrong: 0 } : { compared: steps.compared, wrong: wrongSteps(steps) };
  if (steps !== undefined) for (const line of formatSteps(steps)) say(line);
  const mismatches = reports.reduce((total, report) => total + mismatchesOf(report), ofSteps.wrong);
  const compared = reports
    .flatMap(({ checks }) => checks)
    .reduce((total, check) => total + check.compared, ofSteps.compared);
  if (args.has("json")) {
    process.stdout.write(
      `${JSON.stringify({ run: stored.fleet.run, ok: mismatches === 0, compared, mismatches, reports, steps })}\n`,
    );
  }
  say(
    mismatches === 0
      ? `all ${String(compared)} comparisons agree`
      : `${String(mismatches)} of ${String(compared)} comparisons disagree`,
  );
  return mismatches === 0 && compared > 0 ? 0 : 1;
}

interface Totals {
  checks: number;
  mismatches: number;
  errors: number;
  mostDuplicates: number;
}

/** One check of many; a query that fails is an error answer, not a wrong one, and is counted apart. */
async function tally(totals: Totals, json: boolean, check: () => Promise<MomentReport>): Promise<boolean> {
  try {
    const report = await check();
    totals.checks += 1;
    totals.mismatches += mismatchesOf(report);
    totals.mostDuplicates = Math.max(totals.mostDuplicates, report.duplicates);
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    const count = report.checks.reduce((total, one) => total + one.compared, 0);
    if (mismatchesOf(report) > 0) for (const line of formatMoment(report)) say(line);
    else {
      const took = (report.milliseconds / 1_000).toFixed(1);
      say(
        `ok ${new Date(report.at).toISOString()}: ${grouped(count)} comparisons, ${grouped(report.duplicates)} duplicates (${took} s)`,
      );
    }
    return true;
  } catch (error) {
    if (!(error instanceof PrometheusApiError)) throw error;
    totals.errors += 1;
    say(`no answer ${new Date().toISOString()}: ${error.message}`);
    return false;
  }
}

/**
 * Checks again and again, reading back the samples since the check before, so that the checks stay small; the last
 * check reads the whole run, with what was acknowledged late.
 */
async function continuously(api: PrometheusApi, args: Arguments, settings: Settings, every: number): Promise<number> {
  const { signal, dispose } = interruptSignal("stopping after a last check of the whole run");
  const end = Date.now() + args.seconds("duration", 86_400, 1, 30 * 86_400) * 1_000;
  const totals: Totals = { checks: 0, mismatches: 0, errors: 0, mostDuplicates: 0 };
  const json = args.has("json");
  let readUntil = 0;
  try {
    while (!signal.aborted && Date.now() < end) {
      const startedAt = Date.now();
      const at = Math.floor((startedAt - settings.settle) / second) * second;
      const stored = new Stored(readLedger(settings.ledger));
      if (stored.span !== undefined && stored.span.first <= at) {
        const from = Math.max(readUntil, stored.span.first - 1);
        if (await tally(totals, json, () => checkMoment(api, stored, at, settings, () => undefined, from)))
          readUntil = at;
      }
      await sleep(Math.max(0, startedAt + every - Date.now()), undefined, { signal }).catch(() => undefined);
    }
    const at = Math.floor((Date.now() - settings.settle) / second) * second;
    const stored = new Stored(readLedger(settings.ledger));
    if (stored.span !== undefined && stored.span.first <= at) {
      say("the whole run:");
      await tally(totals, json, () => checkMoment(api, stored, at, settings, () => undefined));
    }
  } finally {
    dispose();
  }
  const { checks, mismatches, errors, mostDuplicates } = totals;
  say(
    `${grouped(checks)} checks, ${grouped(mismatches)} mismatches, ${grouped(errors)} without an answer, ` +
      `at most ${grouped(mostDuplicates)} duplicates`,
  );
  process.stdout.write(`RESULT ${JSON.stringify(totals)}\n`);
  const errorsCount = errors > 0 && !args.has("allow-errors");
  return mismatches === 0 && !errorsCount && checks > 0 ? 0 : 1;
}

async function run(args: Arguments): Promise<number> {
  const range = duration(args, "range", defaultCheckOptions.range);
  const settings: Settings = {
    ledger: args.text("ledger") ?? latestLedger(args.stack),
    options: {
      ...defaultCheckOptions,
      lookback: duration(args, "lookback", defaultCheckOptions.lookback),
      range,
      rates: !args.has("no-rates"),
      tolerance: args.number("tolerance", defaultCheckOptions.tolerance, 0, 1),
    },
    settle: duration(args, "settle", 45_000),
    samples: !args.has("no-samples"),
    allowDuplicates: args.has("allow-duplicates"),
    steps: args.has("steps") ? duration(args, "steps", 1_000) : undefined,
  };
  if (settings.steps !== undefined && args.has("every")) throw new UserError("--steps and --every exclude each other");
  const every = args.has("every") ? duration(args, "every", 60_000) : undefined;
  const work = (address: string): Promise<number> => {
    const api = new PrometheusApi(address.replace(/\/+$/, ""));
    return every === undefined ? once(api, args, settings) : continuously(api, args, settings, every);
  };
  const url = args.text("url");
  return url === undefined ? withQuery(await findDeployment(args.stack), work) : work(url);
}

export const checkCommand: Command = {
  name: "check",
  summary: "compare the root's answers with the ledger of a feed",
  usage: "[STACK] [flags]",
  details: [
    "Compares the number of series, sums by metric and by gateway, rate and increase (recomputed with Prometheus' own\n" +
      "extrapolation), histogram quantiles, and every single acknowledged sample with its timestamp and value. Labels\n" +
      "cluster and shard are ignored; series that two shards answer are counted apart, and while there are any, sums and\n" +
      "rates are not compared. Pushes that were sent but not acknowledged may be stored or not: what depends on them is\n" +
      "left out and said so. Exit 1 on any mismatch.",
    "With --steps, the whole run is asked for at every evaluation step, too: sum and count over all and by gateway must be\n" +
      "what the ledger's newest samples within the lookback come to. A difference is wrong unless it ends within one step\n" +
      "and stands within one step after a push; each is listed with its time and cause (missing, double, ...). `increase`\n" +
      "over 10 minutes must be exact; across a move it may lack one push interval's increase, or exceed it by two.",
  ],
  flags: {
    ledger: { value: "file", description: "ledger of the run", default: "the stack's newest" },
    at: {
      value: "time",
      description: "when to evaluate (repeatable)",
      default: "the last acknowledged timestamp",
      multiple: true,
    },
    history: { value: "n", description: "check at this many earlier timestamps of the run, too", default: "0" },
    steps: { value: "time", description: "compare every evaluation step of the run, too; give the scrape interval" },
    every: { value: "time", description: "check again and again until stopped, at now minus --settle" },
    duration: { value: "time", description: "with --every: stop after this time", default: "86400" },
    settle: { value: "time", description: "time from acknowledged to readable", default: "45s" },
    range: { value: "time", description: "window of rate and increase", default: "5m" },
    lookback: { value: "time", description: "the root's lookback", default: "5m" },
    tolerance: { value: "share", description: "largest relative difference of a sum", default: "1e-9" },
    "no-samples": { description: "leave out reading back every sample" },
    "no-rates": { description: "leave out rate, increase and quantiles, which differ after a move to another shard" },
    "allow-duplicates": { description: "series on two shards are no mismatch (after a move)" },
    "allow-errors": { description: "with --every: queries that fail don't change the exit code" },
    json: { description: "print the report as JSON on standard output" },
    url: { value: "url", description: "ask here instead of through a port-forward to the stack's root" },
  },
  run,
};
