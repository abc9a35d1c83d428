/**
 * `make bench-ring`: balance, movement, failover and lookup time of hashing schemes on Magma's fleet (347 gateways and
 * 1,500 series of no gateway), same keys and sizes for all. Writes docs/measured/ring.md; the last line is
 * `RESULT {"maxOverMean":{"2":n,...},"moved":{...}}` with the figures of this project's placement.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { defaultFleet, makeFleet } from "../tools/feed/fleet";
import { schemes, type Placed, type Scheme, type Series } from "./ring-schemes";

const REPORT = join(__dirname, "..", "docs", "measured", "ring.md");
const SIZES = Array.from({ length: 15 }, (_, at) => at + 2);
const SHOWN = [2, 4, 8, 16];
/** Look-ups that are timed, for a ring of 8. */
const LOOKUPS = { batches: 9, each: 5_000 };

interface Figures {
  readonly name: string;
  /** Series of the fullest shard over the mean, and farthest of all shards from the mean in either direction, by size. */
  readonly overMean: ReadonlyMap<number, number>;
  readonly fromMean: ReadonlyMap<number, number>;
  /** Share of the series that moved when the ring grew to this size from one less. */
  readonly moved: ReadonlyMap<number, number>;
  /** Series of the fullest survivor over the survivors' mean, worst of all failed shards. */
  readonly failoverPeak: ReadonlyMap<number, number>;
  readonly microseconds: number;
}

function loadsOf(series: Series, count: number, placed: Placed, failed?: number): readonly number[] {
  const loads = Array.from({ length: count }, () => 0);
  for (const [key, weight] of series) {
    const owner = placed.owner(key, failed);
    loads[owner] = (loads[owner] ?? 0) + weight;
  }
  return loads;
}

function measured(scheme: Scheme, series: Series): Figures {
  const total = [...series.values()].reduce((sum, each) => sum + each, 0);
  const [overMean, fromMean] = [new Map<number, number>(), new Map<number, number>()];
  const [moved, failoverPeak] = [new Map<number, number>(), new Map<number, number>()];
  let before = scheme.make(1, series, undefined);
  let timed = before;
  for (const count of SIZES) {
    const now = scheme.make(count, series, before);
    const mean = total / count;
    const loads = loadsOf(series, count, now);
    overMean.set(count, Math.max(...loads) - mean);
    fromMean.set(count, Math.max(...loads.map((load) => Math.abs(load - mean))));
    const last = before;
    const movedSeries = [...series].reduce(
      (sum, [key, size]) => sum + (last.owner(key) === now.owner(key) ? 0 : size),
      0,
    );
    moved.set(count, movedSeries / total);
    const survivors = total / (count - 1);
    const peaks = loads.map((_, failed) => Math.max(...loadsOf(series, count, now, failed)) / survivors);
    failoverPeak.set(count, Math.max(...peaks));
    if (count === 8) timed = now;
    before = now;
  }
  return { name: scheme.name, overMean, fromMean, moved, failoverPeak, microseconds: lookupTime(timed, series) };
}

/** Microseconds of CPU time of one look-up: the median of some batches, so that other work on the machine does not count. */
function lookupTime(placed: Placed, series: Series): number {
  const keys = [...series.keys()];
  const batches = Array.from({ length: LOOKUPS.batches }, () => {
    const startedAt = process.cpuUsage();
    for (let at = 0; at < LOOKUPS.each; at += 1) placed.owner(keys[at % keys.length] ?? "");
    const { user, system } = process.cpuUsage(startedAt);
    return (user + system) / LOOKUPS.each;
  });
  return batches.sort((left, right) => left - right)[Math.floor(LOOKUPS.batches / 2)] ?? Number.NaN;
}

const whole = (value: number): string => Math.round(value).toLocaleString("en");

function table(title: string, all: readonly Figures[], cell: (figures: Figures, count: number) => string): string {
  const rows = all.map((figures) => `| ${figures.name} | ${SHOWN.map((count) => cell(figures, count)).join(" | ")} |`);
  return `## ${title}

| scheme | ${SHOWN.map((count) => `N = ${String(count)}`).join(" | ")} |
| --- |${SHOWN.map(() => " ---: |").join("")}
${rows.join("\n")}
`;
}

function worst(figures: ReadonlyMap<number, number>): number {
  return Math.max(...figures.values());
}

function report(all: readonly Figures[], series: Series): string {
  const total = [...series.values()].reduce((sum, each) => sum + each, 0);
  const percent = (value = Number.NaN): string => `${(value * 100).toFixed(1)} %`;
  const movement = (figures: Figures): number => Math.max(...[...figures.moved].map(([count, share]) => share * count));
  const overall = all.map(
    (each) =>
      `| ${each.name} | ${whole(worst(each.overMean))} | ${whole(worst(each.fromMean))} | ${movement(each).toFixed(2)} | ${worst(each.failoverPeak).toFixed(2)} | ${each.microseconds.toFixed(1)} |`,
  );
  return `# Hashing schemes on Magma's fleet

Written by \`make bench-ring\`: ${whole(series.size - 1)} gateways and ${whole(series.get("") ?? 0)} series of no gateway, which stay on shard 0 in every
scheme; ${whole(total)} series. The same keys and sizes for all, hashed by SHA-256; each ring grows from 1 to 16 shards one by
one. The bounds asked for: at most 1,000 series from the mean, at most 1.15 of the ideal movement 1/N, a failover peak of
at most 1.15.

## Worst of N = 2 to 16

| scheme | over the mean (series) | from the mean, both ways | moved / ideal | failover peak / survivors' mean | µs per look-up |
| --- | ---: | ---: | ---: | ---: | ---: |
${overall.join("\n")}

${table("Fullest shard over the mean, in series", all, (each, count) => whole(each.overMean.get(count) ?? Number.NaN))}
${table("Series moved from N - 1 to N shards (ideal: 1/N)", all, (each, count) => percent(each.moved.get(count)))}
${table("Fullest survivor over the survivors' mean, for the worst failed shard", all, (each, count) => (each.failoverPeak.get(count) ?? Number.NaN).toFixed(2))}
A look-up is one without a cache, in a ring of 8, in CPU time. Ours ranks all shards where the others find one; the exporter
keeps the order of each key. The ring with a limit must know the shard of every key beforehand, so its look-up reads a map.
The failed shard's keys go on around a ring, are hashed again with jump, and go to the next score with rendezvous. Measured with Node
${process.versions.node} on ${String(cpus().length)} cores.
`;
}

async function main(): Promise<void> {
  const { gateways } = makeFleet(defaultFleet, "bench");
  const series = new Map(gateways.map(({ id, size }) => [id, size]));
  const all = schemes.map((scheme) => {
    process.stderr.write(`${scheme.name}\n`);
    return measured(scheme, series);
  });
  const ours = all.at(-1);
  if (ours === undefined) throw new Error("no scheme");
  mkdirSync(join(REPORT, ".."), { recursive: true });
  writeFileSync(REPORT, await format(report(all, series), { parser: "markdown" }));
  const rounded = (figures: ReadonlyMap<number, number>, digits: number): Record<string, number> =>
    Object.fromEntries([...figures].map(([count, value]) => [String(count), Number(value.toFixed(digits))]));
  const result = { maxOverMean: rounded(ours.overMean, 0), moved: rounded(ours.moved, 4) };
  process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
