/**
 * `make bench-query`: the query path on N shards beside one Prometheus and the other ways to ask shards, on loopback, one
 * core per process. Writes docs/measured/query.md with charts; the last line is
 * `RESULT {"speedup":{"1m":{"2":x,...},...},"cpuRatio":x,"ofDirect":x}` (design, section 12).
 */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { servicesBundle } from "../components/kit/bundle";
import { repositoryRoot } from "../tools/paths";
import { runMain, say, secondsSince, step } from "../tools/terminal";
import { describeDataset, ensureDataset, type Dataset } from "./query/dataset";
import { startGroup } from "./query/group";
import { measure, warmUp } from "./query/measure";
import { readOptions, type Options } from "./query/options";
import { querySet, type BenchQuery } from "./query/query-set";
import { writeReport } from "./query/report";
import { Results, type QueryResult } from "./query/results";
import { resultOf } from "./query/statistics";
import { figuresOf } from "./query/figures";

/** Quick queries of both kinds, with which a new group is warmed up. */
const WARM_UP: readonly string[] = ["registered", "one gateway", "top usage", "variable gatewayID of a metric"];

const STATE = join(repositoryRoot, ".state", "bench-query");

/** Measures what is missing on one N; the group is not started when nothing is. */
async function measureShards(
  shards: number,
  queries: readonly BenchQuery[],
  dataset: Dataset,
  results: Results,
  bundle: string,
  options: Options,
): Promise<void> {
  const missing = queries.filter((query) => options.isFresh || results.read(shards, query) === undefined);
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
      const result = await measure(group, query, options.repetitions);
      results.write(result, query);
      const note = `N = ${String(shards)}, ${String(index + 1)} of ${String(missing.length)}: ${query.name}`;
      say(`    ${note} (${secondsSince(startedAt)} s)${complaint(result)}`);
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

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return 0;
  // Children are killed on the way out; what is finished is kept.
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
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
  for (const shards of options.shards) await measureShards(shards, queries, dataset, results, bundle, options);
  const measured = options.shards.flatMap((shards) =>
    queries.flatMap((query) => {
      const result = results.read(shards, query);
      return result === undefined ? [] : [{ query, result }];
    }),
  );
  // A smoke run says nothing about speed: the report of the last real run stays.
  const folder = options.isQuick ? STATE : join(repositoryRoot, "docs", "measured");
  await writeReport(folder, { dataset, options, measured });
  say(`    report: ${join(folder, "query.md")}`);
  const wrong = measured.filter(({ result }) =>
    Object.values(result.arms).some(({ difference }) => difference !== undefined),
  );
  if (wrong.length > 0) say(`error: ${String(wrong.length)} answers differ from one Prometheus' (in the report)`);
  process.stdout.write(`RESULT ${JSON.stringify(resultOf(measured.map(figuresOf)))}\n`);
  return wrong.length > 0 ? 1 : 0;
}

runMain(main);
