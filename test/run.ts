/** Runs the checks and suites and ends with one line `N passed, N failed` over all of them. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { say, secondsSince } from "../tools/terminal";
import { checks } from "./checks";
import { checked, loader, repository, tested, type Outcome } from "./outcome";
import { chosenFaults } from "./faults";
import { Progress } from "./progress";
import { budget, chosenSuites, type Suite } from "./suites";

async function suite(each: Suite, form: "short" | "long"): Promise<Outcome> {
  const cluster = each.withoutCluster === true ? ["--no-cluster"] : [];
  const before = [...loader, "local/cli.ts", "exec", ...cluster, "--checkers", "--"];
  const env = { ...process.env, SUITE_FORM: form };
  return tested(`suite ${each.name} (${form} form)`, before, ["--project", "e2e", each.file], env);
}

function overBudget(outcome: Outcome, seconds: number): Outcome {
  if (outcome.seconds <= seconds) return outcome;
  say(`    ${outcome.title} took ${String(outcome.seconds)} s, over its budget of ${String(seconds)} s`);
  return { ...outcome, failed: outcome.failed + 1 };
}

const PREPARING = "tools and cluster";

/** Tools and cluster first, so that their time counts for no suite. */
async function prepared(): Promise<Outcome> {
  return checked(PREPARING, [...loader, "local/cli.ts", "exec", "--checkers", "--", "true"]);
}

const progressFile = join(repository, ".state", "test-full.json");

const withServers = [...loader, "local/cli.ts", "exec", "--no-cluster", "--checkers", "--servers", "--"];

/** Thousands of queries through the real query path beside one Prometheus (test/oracle). */
async function oracle(): Promise<Outcome> {
  const env = { ...process.env, ORACLE_FORM: "long" };
  return tested("oracle (long form)", withServers, ["--project", "real", "test/oracle"], env);
}

/** One part of `make test-full`. */
interface Part {
  readonly name: string;
  readonly needsCluster: boolean;
  readonly run: () => Promise<Outcome>;
}

function benchmark(name: string, before: readonly string[] = []): Part {
  const file = `${name.replace("bench-", "bench/")}.ts`;
  return { name, needsCluster: false, run: () => checked(name, [...before, ...loader, file]) };
}

/** Benchmarks first: a cluster beside them would be in their figures. */
const fullParts: readonly Part[] = [
  benchmark("bench-program"),
  benchmark("bench-ring"),
  benchmark("bench-exporter", withServers),
  benchmark("bench-query", withServers),
  ...chosenSuites([]).map((each) => ({
    name: each.name,
    needsCluster: each.withoutCluster !== true,
    run: () => suite(each, "long"),
  })),
  { name: "oracle", needsCluster: false, run: oracle },
];

/** Benchmarks and long forms, each remembered with its sources when it passed: an interrupted run goes on where it was. */
async function full(): Promise<readonly Outcome[]> {
  const progress = new Progress(progressFile, repository);
  const done = progress.passed();
  const outcomes: Outcome[] = [];
  let isPrepared = false;
  for (const { name, needsCluster, run } of fullParts) {
    if (done.has(name)) {
      say(`==> ${name}: passed in an earlier run on these sources (remove .state/test-full.json to run it again)`);
      continue;
    }
    if (needsCluster && !isPrepared) outcomes.push(await prepared());
    isPrepared ||= needsCluster;
    outcomes.push(await progress.remembering(name, run, ({ failed }) => failed === 0));
  }
  if (outcomes.every((outcome) => outcome.failed === 0)) progress.forget();
  return outcomes;
}

async function short(): Promise<readonly Outcome[]> {
  // Tools first: many tests ask promtool and others whether what we make is valid, and are skipped where they are missing.
  const ready = await prepared();
  const required = { THOROUGH: "1", ...(ready.failed === 0 ? { REQUIRE_CHECKERS: "1" } : {}) };
  const outcomes: Outcome[] = [ready, ...(await checks(required))];
  if (ready.failed === 0) {
    const env = { ...process.env, ...required };
    const tools = [...loader, "local/cli.ts", "exec", "--no-cluster", "--checkers", "--"];
    outcomes.push(await tested("tests with the real programs", tools, ["--project", "real"], env));
    for (const each of chosenSuites([])) outcomes.push(overBudget(await suite(each, "short"), budget.suiteSeconds));
  }
  return outcomes;
}

async function chosen(only: readonly string[]): Promise<readonly Outcome[]> {
  const list = chosenSuites(only);
  const needsCluster = list.some((each) => each.withoutCluster !== true);
  const outcomes: Outcome[] = needsCluster ? [await prepared()] : [];
  if (outcomes.some((outcome) => outcome.failed > 0)) return outcomes;
  const form = process.env["SUITE_FORM"] === "short" ? "short" : "long";
  for (const each of list) outcomes.push(await suite(each, form));
  return outcomes;
}

const chaosFile = join(repository, ".state", "chaos.json");
const chaosSchema = z.object({ faults: z.number(), lost: z.number(), wrong: z.number() });

/** The faults that ONLY names, all by default; SUITE_FORM=short leaves the slow ones out. */
async function chaos(only: readonly string[]): Promise<readonly Outcome[]> {
  // An unknown name is told before anything is built.
  chosenFaults(only.join(","), "long");
  process.env["CHAOS_ONLY"] = only.join(",");
  process.env["CHAOS_RESULT"] = chaosFile;
  rmSync(chaosFile, { force: true });
  return chosen(["chaos"]);
}

/** Last line of `make chaos`; samples that are not readable, and steps that were wrong, over all faults. */
function chaosResult(): string {
  const text = existsSync(chaosFile) ? readFileSync(chaosFile, "utf8") : "{}";
  const result = chaosSchema.safeParse(JSON.parse(text));
  return `RESULT ${JSON.stringify(result.data ?? { faults: 0, lost: 0, wrong: 0 })}\n`;
}

/** Seconds since `startedAt`, without what depends on what is cached: building tools and starting the cluster. */
function secondsOfTests(outcomes: readonly Outcome[], startedAt: number): number {
  const preparing = outcomes.filter(({ title }) => title === PREPARING).reduce((sum, { seconds }) => sum + seconds, 0);
  return Number(secondsSince(startedAt)) - preparing;
}

function summarise(outcomes: readonly Outcome[], startedAt: number, withBudget: boolean): number {
  say("");
  for (const { title, passed, failed, seconds } of outcomes) {
    say(
      `  ${title.padEnd(28)} ${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed ${seconds.toFixed(1).padStart(7)} s`,
    );
  }
  const passed = outcomes.reduce((sum, each) => sum + each.passed, 0);
  let failed = outcomes.reduce((sum, each) => sum + each.failed, 0);
  const seconds = secondsOfTests(outcomes, startedAt);
  // Less than the sum of the above: checks run side by side.
  say(`  ${"all together".padEnd(28)} ${seconds.toFixed(1).padStart(37)} s`);
  if (withBudget && seconds > budget.allSeconds) {
    say(`  that is over the budget of ${String(budget.allSeconds)} s`);
    failed += 1;
  }
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const [command = "check", ...only] = process.argv.slice(2);
  const startedAt = Date.now();
  switch (command) {
    case "check":
      return summarise(await checks({}), startedAt, false);
    case "test": {
      const outcomes = await short();
      // In CI the summary is the last line, so the cluster goes before it.
      const inCi = process.env["CI"] !== undefined && process.env["CI"] !== "";
      const cleaned = inCi ? [await checked("cluster taken away", [...loader, "local/cli.ts", "cluster-down"])] : [];
      return summarise([...outcomes, ...cleaned], startedAt, true);
    }
    case "full":
      return summarise(await full(), startedAt, false);
    case "e2e":
      return summarise(await chosen(only), startedAt, false);
    case "chaos": {
      const code = summarise(await chaos(only), startedAt, false);
      process.stdout.write(chaosResult());
      return code;
    }
    case "oracle":
      return summarise([await oracle()], startedAt, false);
    default:
      say(`unknown command ${command}; one of check, test, full, e2e, chaos, oracle`);
      return 2;
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.stdout.write("0 passed, 1 failed\n");
    process.exitCode = 1;
  },
);
