/** Runs the checks and suites and ends with one line `N passed, N failed` over all of them. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { secondsSince, say } from "../tools/terminal";
import { budget, chosenSuites, type Suite } from "./suites";

const repository = join(__dirname, "..");

interface Outcome {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

function spawned(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: repository, stdio: ["ignore", "inherit", "inherit"], env });
    child.on("error", () => {
      resolve(127);
    });
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
}

async function checked(title: string, command: readonly string[]): Promise<Outcome> {
  say(`==> ${title}`);
  const startedAt = Date.now();
  const code = await spawned(command);
  if (code !== 0) say(`    FAILED: ${command.join(" ")}`);
  const seconds = Number(secondsSince(startedAt));
  return { title, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds };
}

const reportSchema = z.object({ numPassedTests: z.number(), numFailedTests: z.number(), success: z.boolean() });

/** Runs vitest and counts its tests; a run that breaks off or has no test counts as one failure. */
async function tested(
  title: string,
  before: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Outcome> {
  say(`==> ${title}`);
  const startedAt = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "scaled-prometheus-report-"));
  const report = join(folder, "report.json");
  const vitest = [
    "npx",
    "vitest",
    "run",
    ...args,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  const code = await spawned([...before, ...vitest], env);
  const parsed = existsSync(report) ? reportSchema.safeParse(JSON.parse(readFileSync(report, "utf8"))) : undefined;
  rmSync(folder, { recursive: true, force: true });
  const seconds = Number(secondsSince(startedAt));
  if (parsed?.success !== true) return { title, passed: 0, failed: 1, seconds };
  const { numPassedTests: passed, numFailedTests: failed, success } = parsed.data;
  const brokenOff = failed === 0 && (!success || code !== 0 || passed === 0);
  return { title, passed, failed: brokenOff ? 1 : failed, seconds };
}

const loader = ["node", "--require", "tsx/cjs"];

async function checks(): Promise<readonly Outcome[]> {
  return [
    await checked("format", ["npx", "prettier", "--check", "--log-level", "warn", "."]),
    await checked("types", ["npx", "tsc", "--noEmit"]),
    await checked("lint", ["npx", "eslint", "--cache", "--cache-location", "node_modules/.cache/eslint/", "."]),
    await checked("imports", [
      "npx",
      "depcruise",
      "--config",
      ".dependency-cruiser.cjs",
      "--output-type",
      "err",
      ...sourceFolders,
    ]),
    await checked("unused code", ["npx", "knip", "--no-progress"]),
    await checked("generated docs", [...loader, "tools/docs.ts", "--check"]),
    await tested("unit tests", [], ["--project", "unit"], process.env),
    await tested("policy tests", [], ["--project", "policy"], process.env),
  ];
}

const sourceFolders = [
  "stacks",
  "infra",
  "components",
  "services",
  "tools",
  "model",
  "local",
  "bench",
  "test",
  "policies",
];

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

/** Tools and cluster first, so that their time counts for no suite. */
async function prepared(): Promise<Outcome> {
  return checked("tools and cluster", [...loader, "local/cli.ts", "exec", "--checkers", "--", "true"]);
}

const progressFile = join(repository, ".state", "test-full.json");

/** Long forms, each remembered with the commit when it passed, so that an interrupted run goes on where it was. */
async function full(): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [await prepared()];
  const known: unknown = existsSync(progressFile) ? JSON.parse(readFileSync(progressFile, "utf8")) : [];
  const done = new Set(z.array(z.string()).catch([]).parse(known));
  for (const each of chosenSuites([])) {
    if (done.has(each.name)) {
      say(`==> suite ${each.name}: passed in an earlier run (remove .state/test-full.json to run it again)`);
      continue;
    }
    const outcome = await suite(each, "long");
    outcomes.push(outcome);
    if (outcome.failed === 0) {
      done.add(each.name);
      mkdirSync(join(repository, ".state"), { recursive: true });
      writeFileSync(progressFile, JSON.stringify([...done]));
    }
  }
  outcomes.push(await checked("bench-program", [...loader, "bench/program.ts"]));
  outcomes.push(await checked("bench-ring", [...loader, "bench/ring.ts"]));
  if (outcomes.every((outcome) => outcome.failed === 0)) rmSync(progressFile, { force: true });
  return outcomes;
}

async function short(): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [...(await checks())];
  const ready = await prepared();
  outcomes.push(ready);
  if (ready.failed === 0) {
    // Again, with the checkers that are built by now: a missing one is a failure here.
    const env = { ...process.env, REQUIRE_CHECKERS: "1" };
    outcomes.push(await tested("manifests", [], ["--project", "policy", "test/policy/manifests.test.ts"], env));
    const tools = [...loader, "local/cli.ts", "exec", "--no-cluster", "--checkers", "--"];
    outcomes.push(await tested("tests with the real programs", tools, ["--project", "real"], env));
    const proven = chosenSuites([]).filter(({ isUnproven }) => isUnproven !== true);
    for (const each of proven) outcomes.push(overBudget(await suite(each, "short"), budget.suiteSeconds));
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

function summarise(outcomes: readonly Outcome[], withBudget: boolean): number {
  say("");
  for (const { title, passed, failed, seconds } of outcomes) {
    say(
      `  ${title.padEnd(28)} ${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed ${seconds.toFixed(1).padStart(7)} s`,
    );
  }
  const passed = outcomes.reduce((sum, each) => sum + each.passed, 0);
  let failed = outcomes.reduce((sum, each) => sum + each.failed, 0);
  // Building tools and starting the cluster depends on what is cached; the budget is for the tests.
  const seconds = outcomes
    .filter((each) => each.title !== "tools and cluster")
    .reduce((sum, each) => sum + each.seconds, 0);
  if (withBudget && seconds > budget.allSeconds) {
    say(`  all together took ${seconds.toFixed(0)} s, over the budget of ${String(budget.allSeconds)} s`);
    failed += 1;
  }
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const [command = "check", ...only] = process.argv.slice(2);
  switch (command) {
    case "check":
      return summarise(await checks(), false);
    case "test": {
      const outcomes = await short();
      // In CI the summary is the last line, so the cluster goes before it.
      const inCi = process.env["CI"] !== undefined && process.env["CI"] !== "";
      const cleaned = inCi ? [await checked("cluster taken away", [...loader, "local/cli.ts", "cluster-down"])] : [];
      return summarise([...outcomes, ...cleaned], true);
    }
    case "full":
      return summarise(await full(), false);
    case "e2e":
      return summarise(await chosen(only), false);
    default:
      say(`unknown command ${command}; one of check, test, full, e2e`);
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
