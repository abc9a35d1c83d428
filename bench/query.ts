/**
 * `make bench-query`: the query path on N shards beside one Prometheus and the other ways to ask shards, on loopback, one
 * core per process; and how long each shard takes to be back after a kill. Writes docs/measured/query.md with charts; the last
 * line is
 * `RESULT {"speedup":{"1m":{"2":x,...},...},"cpuRatio":x,"ofDirect":x}` (design, section 12).
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { servicesBundle } from "../components/kit/bundle";
import { MissingProgramError, run } from "../tools/child";
import { repositoryRoot } from "../tools/paths";
import { runMain, say, secondsSince, step, UserError } from "../tools/terminal";
import { describeDataset, ensureDataset, type Dataset } from "./query/dataset";
import { Budget, weightOf } from "./query/budget";
import { startGroup } from "./query/group";
import { measure, warmUp } from "./query/measure";
import { EXACT_ARMS, FULL_SHARDS, readOptions, type Options } from "./query/options";
import { isAskedOf, querySet, type BenchQuery } from "./query/query-set";
import { measureReplays, Replays, type ReplayResult } from "./query/replay";
import { writeReport } from "./query/report";
import { Results, type QueryResult } from "./query/results";
import { resultOf } from "./query/statistics";
import { figuresOf, type Measured } from "./query/figures";
import { ensureWals } from "./query/wals";

/** Quick queries of both kinds, with which a new group is warmed up. */
const WARM_UP: readonly string[] = ["registered", "one gateway", "top usage", "variable gatewayID of a metric"];

const STATE = join(repositoryRoot, ".state", "bench-query");

/** Measures what is missing on one N; the group is not started when nothing is. */
async function measureShards(
  shards: number,
  missing: readonly BenchQuery[],
  dataset: Dataset,
  results: Results,
  bundle: string,
  options: Options,
  budget: Budget,
): Promise<void> {
  if (missing.length === 0) {
    say(`==> N = ${String(shards)}: measured in an earlier run (--fresh measures again)`);
    return;
  }
  const folder = join(dataset.folder, "run");
  const group = await startGroup({ shards, arms: options.arms, dataset: dataset.folder, folder, bundle });
  try {
    const light = querySet(dataset.end, 2).filter(({ name }) => WARM_UP.includes(name));
    await step("warming up", () => warmUp(group, light));
    for (const [index, query] of missing.entries()) {
      const startedAt = Date.now();
      const result = await measure(group, query, options.repetitions, budget.next(weightOf(query)));
      results.write(result, query);
      const note = `N = ${String(shards)}, ${String(index + 1)} of ${String(missing.length)}: ${query.name}`;
      const rounds = Math.max(0, ...Object.values(result.arms).map(({ samples }) => samples.length));
      say(`    ${note} (${String(rounds)} x, ${secondsSince(startedAt)} s)${complaint(result)}`);
    }
  } finally {
    await group.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Arms without an answer or with another one, for the terminal. */
function complaint({ arms }: QueryResult): string {
  const bad = Object.entries(arms).flatMap(([arm, { error, difference, noParts }]) => {
    const reason = error ?? difference ?? noParts;
    return reason === undefined ? [] : [`\n      ${arm}: ${reason.slice(0, 200)}`];
  });
  return bad.join("");
}

/** What may not be: another answer than one Prometheus' from an arm that must give the same, or none from the path itself. */
function faultsOf({ query, result }: Measured): readonly string[] {
  const where = `${query.name}, N = ${String(result.shards)}`;
  return [
    ...EXACT_ARMS.flatMap((arm) =>
      result.arms[arm]?.difference === undefined ? [] : [`${where}: ${arm}'s answer is not one Prometheus'`],
    ),
    ...(["single", "design", "frontend"] as const).flatMap((arm) =>
      result.arms[arm]?.error === undefined ? [] : [`${where}: no answer of ${arm}`],
    ),
  ];
}

/** @throws UserError before anything is made, when a program is missing. */
async function requirePrograms(programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    try {
      await run(program, ["--version"]);
    } catch (error) {
      if (!(error instanceof MissingProgramError)) throw error;
      throw new UserError(error.message, "use `make bench-query`, which builds it and puts it there");
    }
  }
}

/** Restarts with a log to replay; those of an earlier run are kept. */
async function replays(dataset: Dataset, options: Options, folder: string): Promise<readonly ReplayResult[]> {
  const kept = new Replays(join(dataset.folder, "results"), String(options.repetitions));
  const wanted = options.withReplay ? options.shards : [];
  const missing = wanted.filter((shards) => options.isFresh || kept.read(shards) === undefined);
  if (missing.length > 0) {
    await ensureWals(STATE, options.dataset, missing);
    const repetitions = Math.min(3, options.repetitions);
    await step("restarts after a kill", async () => {
      for (const each of await measureReplays(dataset, missing, repetitions, folder)) kept.write(each);
    });
  }
  return [...new Set([...FULL_SHARDS, ...options.shards])].flatMap((shards) => kept.read(shards) ?? []);
}

/** The report in docs/ is of a fleet as large as Magma's: what smaller ones measure is mostly the machine's other work. */
function isFullRun({ dataset, repetitions, only }: Options): boolean {
  return dataset.series >= 105_000 && dataset.hours >= 24 && repetitions >= 5 && only.length === 0;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return 0;
  // Children are killed on the way out; what is finished is kept.
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
  await requirePrograms(["prometheus", "thanos"]);
  const dataset = await ensureDataset(STATE, options.dataset, options.shards);
  say(`    ${describeDataset(dataset)}`);
  const code =
    options.services === undefined ? await servicesBundle(repositoryRoot) : readFileSync(options.services, "utf8");
  mkdirSync(STATE, { recursive: true });
  const bundle = join(STATE, "services.cjs");
  writeFileSync(bundle, code);
  const queries = querySet(dataset.end, options.dataset.hours).filter(
    ({ name }) => options.only.length === 0 || options.only.some((text) => name.includes(text)),
  );
  const settings = JSON.stringify([options.arms, options.repetitions]);
  const settingsHash = createHash("sha256").update(code).update(settings).digest("hex").slice(0, 16);
  const results = new Results(join(dataset.folder, "results"), settingsHash);
  const asked = options.shards.map((shards) => {
    const all = queries.filter((query) => isAskedOf(query, shards));
    return {
      shards,
      all,
      missing: all.filter((query) => options.isFresh || results.read(shards, query) === undefined),
    };
  });
  const weights = asked.flatMap(({ missing }) => missing.map(weightOf));
  const total = asked.flatMap(({ all }) => all.map(weightOf)).reduce((sum, each) => sum + each, 0);
  // What an earlier run has measured has had its share of the time.
  const seconds = (options.minutes * 60 * weights.reduce((sum, each) => sum + each, 0)) / Math.max(1, total);
  const replayed = await replays(dataset, options, join(dataset.folder, "run"));
  const budget = new Budget(seconds, weights, () => performance.now() / 1_000);
  for (const { shards, missing } of asked) {
    await measureShards(shards, missing, dataset, results, bundle, options, budget);
  }
  const isFull = isFullRun(options);
  const reported = isFull
    ? [...new Set([...FULL_SHARDS, ...options.shards])].sort((one, two) => one - two)
    : options.shards;
  const measured = reported.flatMap((shards) =>
    queries.flatMap((query) => {
      const result = results.read(shards, query);
      return result === undefined ? [] : [{ query, result }];
    }),
  );
  const folder = isFull ? join(repositoryRoot, "docs", "measured") : join(dataset.folder, "report");
  const shards = reported.filter((each) => measured.some(({ result }) => result.shards === each));
  await writeReport(folder, { dataset, options: { ...options, shards }, measured, queries, replayed });
  say(`    report: ${join(folder, "query.md")}`);
  const faults = measured.flatMap(faultsOf);
  for (const fault of faults) say(`error: ${fault} (see the report)`);
  process.stdout.write(`RESULT ${JSON.stringify(resultOf(measured.map(figuresOf)))}\n`);
  return faults.length > 0 ? 1 : 0;
}

runMain(main);
