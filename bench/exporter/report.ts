/** The report of `make bench-exporter` and its RESULT line. */

import { cpus } from "node:os";
import { format } from "prettier";
import type { Options } from "./options";

/** One arm under one kind of bodies. */
export interface ArmFigures {
  readonly samples: number;
  /** Wall clock. */
  readonly seconds: number;
  /** CPU time of the process. */
  readonly cpuSeconds: number;
  /** Megabytes of pushes taken a second. */
  readonly megabytesPerSecond: number;
  /** Milliseconds to the acknowledgement. */
  readonly p50: number;
  readonly p99: number;
}

/** Memory of the exporter under load, one value a second. */
export interface MemoryFigures {
  readonly minutes: number;
  readonly arm: ArmFigures;
  readonly mebibytes: readonly number[];
}

export interface Figures {
  readonly options: Options;
  /** The first one is the headline. */
  readonly kinds: readonly {
    readonly title: string;
    /** Pushes under way at a time. */
    readonly pushes: number;
    readonly exporter: ArmFigures;
    readonly hub: ArmFigures;
  }[];
  readonly memory: MemoryFigures | undefined;
  readonly peakMebibytes: number;
  readonly isPinned: boolean;
}

/** The RESULT line. */
export interface Result {
  /** Of the headline's bodies, acknowledged by both replicas, wall clock. */
  readonly samplesPerSecond: number;
  /** The same per second of CPU time: what a core of its own would do. */
  readonly samplesPerCpuSecond: number;
  /** `samplesPerCpuSecond` over that of the hub. */
  readonly vsHub: number;
  readonly p99Milliseconds: number;
}

/** Parts that the memory's course is shown in. */
const PARTS = 10;

const whole = (value: number): string => Math.round(value).toLocaleString("en");
const perSecond = (arm: ArmFigures): number => arm.samples / arm.seconds;
const perCpuSecond = (arm: ArmFigures): number => arm.samples / arm.cpuSeconds;
const share = (arm: ArmFigures): string => `${((arm.cpuSeconds / arm.seconds) * 100).toFixed(0)} %`;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function row(name: string, pushes: number, arm: ArmFigures): string {
  const figures = [perCpuSecond(arm), perSecond(arm), arm.megabytesPerSecond, arm.p50, arm.p99].map(whole);
  return `| ${name} | ${String(pushes)} | ${figures.join(" | ")} | ${share(arm)} |`;
}

function memoryText({ minutes, arm, mebibytes }: MemoryFigures): string {
  const size = Math.ceil(mebibytes.length / PARTS);
  const parts = Array.from({ length: PARTS }, (_, at) => mebibytes.slice(at * size, (at + 1) * size)).filter(
    (part) => part.length > 0,
  );
  const cells = (of: (part: readonly number[]) => number): string => parts.map((part) => whole(of(part))).join(" | ");
  return `## Memory over ${String(minutes)} minutes

${whole(arm.samples)} samples at ${whole(perSecond(arm))} a second (${whole(perCpuSecond(arm))} per CPU second), acknowledged in ${whole(arm.p50)} ms (p50)
and ${whole(arm.p99)} ms (p99). Resident memory in MiB, a tenth of the time in each column:

| | ${parts.map((_, at) => String(at + 1)).join(" | ")} |
| --- |${parts.map(() => " ---: |").join("")}
| mean | ${cells(mean)} |
| highest | ${cells((part) => Math.max(...part))} |
`;
}

/** Issue D's bench line. */
const AIMS = { samplesPerCpuSecond: 1_000_000, p99Milliseconds: 1_000, memoryGrowth: 1.1 } as const;

const verdict = (isMet: boolean): string => (isMet ? "met" : "**NOT met**");

/** Highest resident memory of the last part of the long run over that of the second: the first is still filling caches. */
function memoryGrowth(mebibytes: readonly number[]): number {
  const size = Math.ceil(mebibytes.length / PARTS);
  return Math.max(...mebibytes.slice(-size)) / Math.max(...mebibytes.slice(size, 2 * size));
}

/** What is asked of the headline's bodies, with what was measured. */
export function aimRows({ kinds, memory }: Pick<Figures, "kinds" | "memory">): readonly (readonly string[])[] {
  const [headline] = kinds;
  if (headline === undefined) return [];
  const rate = perCpuSecond(headline.exporter);
  const growth =
    memory === undefined || memory.mebibytes.length < 2 * PARTS ? undefined : memoryGrowth(memory.mebibytes);
  return [
    ["samples a second of a core, at least 1,000,000", whole(rate), verdict(rate >= AIMS.samplesPerCpuSecond)],
    [
      "p99 of the acknowledgement, at most 1,000 ms",
      whole(headline.exporter.p99),
      verdict(headline.exporter.p99 <= AIMS.p99Milliseconds),
    ],
    growth === undefined
      ? ["memory flat over 10 minutes: last tenth at most 1.1 of the second", "not measured", ""]
      : [
          `memory flat over ${String(memory?.minutes)} minutes: last tenth at most 1.1 of the second`,
          growth.toFixed(2),
          verdict(growth <= AIMS.memoryGrowth),
        ],
  ];
}

/** The report as formatted Markdown, and the figures of the RESULT line. */
export async function report(figures: Figures): Promise<{ readonly text: string; readonly result: Result }> {
  const { options, kinds, memory, peakMebibytes } = figures;
  const [headline] = kinds;
  if (headline === undefined) throw new Error("nothing was measured");
  const rows = kinds.flatMap(({ title, pushes, exporter, hub }) => [
    row(title, pushes, exporter),
    row("the edge hub, the same bodies", pushes, hub),
  ]);
  const cores = figures.isPinned
    ? "what is measured has one core, load and sinks have the other"
    : "all on one core, so only the figures per CPU second say something";
  const text = `# The exporter's speed

Written by \`make bench-exporter\`: ${String(options.shards)} shards, both replicas of each written to sinks that check the number of lines and
a checksum per shard and replica, all of which were right, or there would be no report. Magma's fleet (348 pushers, about 105,000 series, 141
bytes a line) is pushed over and over, with new values and timestamps each time; some labels and
keys hold escapes. The edge hub 1.1.0 takes the same bodies on the same core, GOMAXPROCS=1, and is emptied between the rounds, which
is not counted.

Samples per CPU second is what a core of its own would do; samples per second is what was left by the machine's other
work. Node ${process.versions.node}, ${String(cpus().length)} cores: ${cores}.

| aim, with the first bodies | measured | |
| --- | ---: | --- |
${aimRows(figures)
  .map((cells) => `| ${cells.join(" | ")} |`)
  .join("\n")}

| bodies | pushes at a time | samples per CPU second | samples per second | MB per second | p50 ms | p99 ms | of the core |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.join("\n")}

A push is acknowledged when both replicas of every shard that it has samples of have answered. The exporter's highest
resident memory was ${whole(peakMebibytes)} MiB.

Not measured here: keeping pushes until both replicas have stored them (the sinks store nothing, so that nothing is kept or sent
again), staleness markers, gRPC, gzip, TLS, limits per tenant. Load and sinks share one core: where "of the core" is well below
100 %, they, or other work of the machine, are what bounds samples per second.

${memory === undefined ? "" : memoryText(memory)}`;
  const result = {
    samplesPerSecond: Math.round(perSecond(headline.exporter)),
    samplesPerCpuSecond: Math.round(perCpuSecond(headline.exporter)),
    vsHub: Number((perCpuSecond(headline.exporter) / perCpuSecond(headline.hub)).toFixed(2)),
    p99Milliseconds: Math.round(headline.exporter.p99),
  };
  return { text: await format(text, { parser: "markdown" }), result };
}
