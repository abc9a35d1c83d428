/** The report's parts about restarts, and about what was not measured. */

import { figuresOfArm, type Measured } from "./figures";
import { ARM_TITLES, ARMS, FULL_SHARDS, type Options } from "./options";
import { ALONE_RANGES, isAskedOf, PLAIN_ROUNDS, type BenchQuery } from "./query-set";
import { replayFigures, type ReplayResult } from "./replay";
import { cell, table } from "./report-tables";
import { WAL_HOURS } from "./wals";

/** Restarts by N, with ratios to one Prometheus. */
export function replayTable(replayed: readonly ReplayResult[]): string {
  const figures = replayed.map(replayFigures);
  const one = figures.find(({ shards }) => shards === 1);
  const rows = figures.map(({ shards, ready, replay, memory, walBytes, repetitions }) => [
    String(shards),
    (walBytes / 1_000_000).toFixed(0),
    replay.toFixed(1),
    ready.toFixed(1),
    (memory / 1_000_000).toFixed(0),
    cell(one === undefined ? undefined : one.ready / ready),
    cell(one === undefined ? undefined : memory / one.memory),
    String(repetitions),
  ]);
  return table(
    [
      "N",
      "log of the largest shard, MB",
      "replay, s",
      "start to ready, s",
      "memory, MB",
      "ready: times faster than N = 1",
      "memory: share of N = 1",
      "starts of each",
    ],
    rows,
  );
}

/** What a reader might look for and not find, a line each. */
export function notMeasured(
  options: Options,
  queries: readonly BenchQuery[],
  measured: readonly Measured[],
  replayed: readonly ReplayResult[],
): readonly string[] {
  const lines: string[] = [];
  const counts = [...new Set([...FULL_SHARDS, ...options.shards])].sort((left, right) => left - right);
  for (const shards of counts) {
    const missing = queries.filter(
      (query) =>
        isAskedOf(query, shards) &&
        !measured.some(({ query: { name }, result }) => result.shards === shards && name === query.name),
    );
    const asked = queries.filter((query) => isAskedOf(query, shards)).length;
    if (missing.length === asked) lines.push(`N = ${String(shards)}: nothing was asked.`);
    else if (missing.length > 0) {
      lines.push(`N = ${String(shards)}: not asked for ${missing.map(({ name }) => name).join(", ")}.`);
    }
    if (!replayed.some((each) => each.shards === shards)) lines.push(`N = ${String(shards)}: no restart.`);
  }
  for (const arm of ARMS.filter((each) => !options.arms.includes(each))) lines.push(`${ARM_TITLES[arm]}: not started.`);
  if (counts.includes(1)) lines.push(`One shard alone (N = 1): Magma's query over ${ALONE_RANGES.join(" and ")} only.`);
  const reasons = new Map<string, string[]>();
  for (const { name, notAsked } of queries) {
    if (notAsked === undefined) continue;
    const arms = notAsked.arms.map((arm) => ARM_TITLES[arm]).join(" and ");
    const reason = `${arms}: ${notAsked.because}; not`;
    reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  }
  for (const [reason, names] of reasons) lines.push(`${reason} ${names.join(", ")}.`);
  const merged = queries.filter(({ direct }) => direct === undefined).map(({ name }) => name);
  if (merged.length > 0) lines.push(`Shards asked directly: ${merged.join(", ")}: it takes more than a simple merge.`);
  lines.push("Naive fan-out's critical path: of what can't be pushed and of series only.");
  lines.push(`Plain Thanos in Magma's table: no more than ${String(PLAIN_ROUNDS)} round.`);
  lines.push(...fewRounds(measured, options.repetitions));
  lines.push(
    "Everything is on loopback of one machine: no network between shards and root, and no cold disk (blocks are in the page cache).",
    "One replica of each shard, no bucket, no TLS. Pairs, faults and load: suite `query`; correctness: `make oracle`.",
  );
  return lines;
}

/** Queries that had less than the wanted rounds, by number. */
function fewRounds(measured: readonly Measured[], wanted: number): readonly string[] {
  const byRounds = new Map<number, string[]>();
  for (const each of measured) {
    const rounds = figuresOfArm(each, "design")?.repetitions ?? figuresOfArm(each, "single")?.repetitions ?? 0;
    if (rounds >= wanted) continue;
    const name = `${each.query.name} (N = ${String(each.result.shards)})`;
    byRounds.set(rounds, [...(byRounds.get(rounds) ?? []), name]);
  }
  return [...byRounds]
    .sort(([left], [right]) => left - right)
    .map(([rounds, names]) => `${String(rounds)} instead of ${String(wanted)} rounds: ${names.join(", ")}.`);
}

/** What the restarts show. */
export const REPLAY_TEXT = `Each shard's Prometheus alone, started with the log of the last ${String(WAL_HOURS)} h of the same data and nothing else (one core,
the log uncompressed and in the page cache), as after a kill; figures of the worst shard, medians of its starts. Pairs restart one
after the other, so that nobody waits for it.`;
