/** The fast tier, `make check`: everything that needs neither tools nor a cluster. */
import { checked, loader, packageProgram, tested, type Outcome } from "./outcome";

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

/** Kept from run to run in a folder that `npm ci` removes, and keyed by the files' contents; a fresh clone has none. */
const CACHE = "node_modules/.cache";
const byContent = (name: string) => ["--cache", "--cache-strategy", "content", "--cache-location", `${CACHE}/${name}`];

/** What reads the sources, one after another. */
const STATIC_CHECKS: Readonly<Record<string, readonly string[]>> = {
  format: [packageProgram("prettier"), "--check", "--log-level", "warn", ...byContent("format"), "."],
  // A build whose sources are as they were when it last passed reads nothing else.
  types: [packageProgram("tsc"), "--build", "--noEmit"],
  lint: [packageProgram("eslint"), ...byContent("eslint/"), "."],
  imports: [
    packageProgram("depcruise"),
    "--config",
    ".dependency-cruiser.cjs",
    "--output-type",
    "err",
    "--cache",
    `${CACHE}/dependency-cruiser`,
    "--cache-strategy",
    "content",
    ...sourceFolders,
  ],
  "unused code": [packageProgram("knip"), "--no-progress"],
  "generated docs": [...loader, "tools/docs.ts", "--check"],
};

async function inTurn(runs: readonly (() => Promise<Outcome>)[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const run of runs) outcomes.push(await run());
  return outcomes;
}

const statics = Object.entries(STATIC_CHECKS).map(
  ([title, command]) =>
    () =>
      checked(title, command, "whole"),
);

/**
 * Unit tests beside all the rest: each alone leaves a core of a small machine idle for much of its time.
 * @param more Variables for the tests: THOROUGH=1 tries slow properties on all their cases instead of a tenth, and with
 *   REQUIRE_CHECKERS=1 a checker that is not built (kubeconform, kube-score) is a failure instead of a skipped test.
 */
export async function checks(more: NodeJS.ProcessEnv): Promise<readonly Outcome[]> {
  const env = { ...process.env, ...more };
  const [rest, tests] = await Promise.all([
    inTurn(statics),
    tested("unit and policy tests", [], ["--project", "unit"], env, "whole"),
  ]);
  return [...rest, tests];
}
