/** docs/measured/query.md and its charts. */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { aims } from "./aims";
import { barChart, lineChart } from "./charts";
import { describeDataset, type Dataset } from "./dataset";
import { figuresOfArm, type Measured } from "./figures";
import { ARM_TITLES, type Arm, type Options } from "./options";
import { MAGMA_RANGES, type BenchQuery } from "./query-set";
import type { ReplayResult } from "./replay";
import { notMeasured, REPLAY_TEXT, replayTable } from "./report-limits";
import {
  cell,
  cpuTable,
  differences,
  magmaTable,
  queriesTable,
  remoteTable,
  table,
  trafficTable,
  variablesTable,
} from "./report-tables";

/** Everything that the report tells. */
export interface ReportInput {
  readonly dataset: Dataset;
  readonly options: Options;
  readonly measured: readonly Measured[];
  /** All queries that were to be asked. */
  readonly queries: readonly BenchQuery[];
  readonly replayed: readonly ReplayResult[];
}

/** Ratios of one Prometheus to an arm, by Magma's ranges, for a chart. */
function byRange(
  measured: readonly Measured[],
  shards: number,
  arm: Arm,
  value: (figures: NonNullable<ReturnType<typeof figuresOfArm>>) => number | undefined,
  turned = false,
): readonly (number | undefined)[] {
  return MAGMA_RANGES.map(([label]) => {
    const found = measured.find(({ query, result }) => query.magmaRange === label && result.shards === shards);
    if (found === undefined) return undefined;
    const [single, other] = [figuresOfArm(found, "single"), figuresOfArm(found, arm)];
    if (single === undefined || other === undefined) return undefined;
    const [own, theirs] = [value(single) ?? single.wall, value(other)];
    if (theirs === undefined) return undefined;
    return turned ? theirs / own : own / theirs;
  });
}

function charts({ measured, options }: ReportInput): Readonly<Record<string, string>> {
  const categories = MAGMA_RANGES.map(([label]) => label);
  const several = options.shards.filter((shards) => shards > 1);
  const largest = Math.max(...options.shards);
  return {
    "query-speedup.svg": lineChart({
      title: "Magma's query: speed-up of the critical path over one Prometheus",
      unit: "times",
      categories,
      series: several.flatMap((shards) => [
        { name: `this design, N = ${String(shards)}`, values: byRange(measured, shards, "design", (f) => f.critical) },
        {
          name: `asked directly, N = ${String(shards)}`,
          values: byRange(measured, shards, "direct", (f) => f.critical),
          isDashed: true,
        },
      ]),
      reference: 1,
    }),
    "query-wall.svg": lineChart({
      title: `Magma's query: wall clock on ${String(cpus().length)} cores, speed-up over one Prometheus`,
      unit: "times",
      categories,
      series: several.map((shards) => ({
        name: `this design, N = ${String(shards)}`,
        values: byRange(measured, shards, "design", (f) => f.wall),
      })),
      reference: 1,
    }),
    "query-cpu.svg": barChart({
      title: `Magma's query: CPU of all processes against one Prometheus, N = ${String(largest)}`,
      unit: "times",
      categories,
      series: (["naive", "leaf", "direct", "design"] as const)
        .filter((arm) => options.arms.includes(arm))
        .map((arm) => ({
          name: ARM_TITLES[arm],
          values: byRange(measured, largest, arm, (f) => f.cpu, true),
        })),
      reference: 1,
    }),
  };
}

function peaks({ dataset, options }: ReportInput): string {
  const each = options.shards.map((n) => `${cell(dataset.peakOverMean[String(n)])} at N = ${String(n)}`);
  return each.join(", ");
}

/** The whole report as Markdown. */
export function reportText(input: ReportInput): string {
  const { dataset, options, measured, queries, replayed } = input;
  const { seed, churn, interval, cap } = options.dataset;
  const several = options.shards.filter((shards) => shards > 1);
  const placed = cap === undefined ? "the plain ring" : `the ring, and no shard over the mean + ${String(cap)} series`;
  const processor = cpus()[0]?.model ?? "unknown";
  return `# The query path against one Prometheus

Written by \`make bench-query\`. Data: ${describeDataset(dataset)}, one sample per ${String(interval)} s, churn ${String(churn)} per hour,
seed ${String(seed)}, values of \`tools/feed\`; gateways on shards by ${placed}: the largest shard is over the mean by ${peaks(input)},
which bounds every speed-up. All processes on loopback of one machine (${String(cpus().length)} cores, ${processor}), each with one core
(\`GOMAXPROCS=1\`; Node computes on one thread). One warm-up, then rounds of all arms in
turn, ${String(options.repetitions)} where the run's time allowed (fewer: below); medians.

- **one Prometheus** holds everything. **naive fan-out**: a root Querier over the shards' sidecars. **leaf per shard**: a distributed
  root over a leaf Querier for each sidecar. **asked directly**: the shards' own Prometheus, answers merged by the harness.
  **this design**: a distributed root over the shards' push-down adapters, asked through its gate, which asks the adapters by itself
  for series. **frontend, warm**: the same behind the query frontend, asked again.
- **Critical path**: the slowest shard's whole endpoint answering, alone, the very request that the root sent (captured), plus the
  root's time with recorded answers, its gate's included: what N machines would take. **Wall clock** is what this machine took for all of it at once.

## Aims

${table(["aim", "measured", ""], aims(measured))}

## Magma's query, \`count({__name__=~".+"})\`

Speed-up over one Prometheus in the same interleaved run: wall clock of the one over the critical path of the other.

![Speed-up of the critical path](query-speedup.svg)

${magmaTable(measured, several, (single, arm) => (arm.critical === undefined ? undefined : single.wall / arm.critical), ["leaf", "direct", "design"])}

Speed-up in wall clock, all shards on this machine's ${String(cpus().length)} cores at once:

![Speed-up in wall clock](query-wall.svg)

${magmaTable(measured, several, (single, arm) => single.wall / arm.wall, ["naive", "leaf", "direct", "design", "frontend"])}

CPU of all processes against one Prometheus:

![CPU of all processes](query-cpu.svg)

${magmaTable(measured, options.shards, (single, arm) => arm.cpu / single.cpu, ["naive", "leaf", "direct", "design"])}

## All queries

Ratios to one Prometheus: over 1 is faster (critical path, wall clock) or more (CPU, memory). Spread is (slowest - fastest) / median
of this design's wall clock.

${options.shards.map((shards) => `### N = ${String(shards)}\n\n${queriesTable(measured, shards)}`).join("\n\n")}

## Variables and series in milliseconds

${variablesTable(measured, options.shards)}

## CPU seconds by program

Medians per query, N = ${String(Math.max(...options.shards))}.

${cpuTable(measured, Math.max(...options.shards))}

## Bytes and memory

Kilobytes into the root: recorded answers of the remote requests where they are captured, and what the root's process read from all its
connections. Memory is the sum of all processes' highest resident sets while they answered, mapped blocks included.

${trafficTable(measured, Math.max(...options.shards))}

## What the root sends

${remoteTable(measured, Math.max(...options.shards))}

## Restarts

${REPLAY_TEXT}

${replayTable(replayed)}

## What was not measured

${notMeasured(options, queries, measured, replayed)
  .map((line) => `- ${line}`)
  .join("\n")}

## Errors and differences

Every arm's answer is compared with one Prometheus' (labels of the pipeline taken off, relative tolerance 1e-9).
Naive fan-out and leaves may differ in \`rate\` and \`increase\`: Thanos takes the resets out of a counter before they see it, so that
the extrapolation to the counter's zero is another one after a reset. The other arms must not differ.

${differences(measured)}
`;
}

/** Writes report and charts to `folder`. */
export async function writeReport(folder: string, input: ReportInput): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [file, svg] of Object.entries(charts(input))) writeFileSync(join(folder, file), svg);
  const text = await format(reportText(input), { parser: "markdown", printWidth: 120 });
  writeFileSync(join(folder, "query.md"), text);
}
