/**
 * `make bench-program`: how long this program takes from the start of its process to its last registered resource, under
 * mocks, beside an empty Pulumi program in the same run. Writes docs/measured/program.md; the last line is
 * `RESULT {"seconds":x,"mib":x,"vsEmpty":x}`.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { z } from "zod";

const ARM = join(__dirname, "program-arm.cjs");
const REPORT = join(__dirname, "..", "docs", "measured", "program.md");

/** Shards of the measured program: the size that the aim is given for (design, section 11). */
const SHARDS = 8;
const REPETITIONS = 9;
const AIM = { seconds: 1.5, mib: 250 };

type Arm = "empty" | "ours";

const sampleSchema = z.object({ seconds: z.number(), mebibytes: z.number(), resources: z.number() });
type Sample = z.infer<typeof sampleSchema>;

function measure(arm: Arm): Sample {
  const output = execFileSync(process.execPath, [ARM, arm, String(SHARDS)], { encoding: "utf8" });
  return sampleSchema.parse(JSON.parse(output.trim().split("\n").at(-1) ?? ""));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

interface Summary {
  readonly seconds: number;
  readonly fastest: number;
  readonly slowest: number;
  readonly mib: number;
  readonly resources: number;
}

function summarize(samples: readonly Sample[]): Summary {
  const seconds = samples.map((sample) => sample.seconds);
  return {
    seconds: median(seconds),
    fastest: Math.min(...seconds),
    slowest: Math.max(...seconds),
    mib: median(samples.map((sample) => sample.mebibytes)),
    resources: samples[0]?.resources ?? 0,
  };
}

function report(ours: Summary, empty: Summary): string {
  const row = (name: string, arm: Summary) =>
    `| ${name} | ${arm.seconds.toFixed(2)} | ${arm.fastest.toFixed(2)} to ${arm.slowest.toFixed(2)} | ${arm.mib.toFixed(0)} | ${String(arm.resources)} |`;
  const meets = ours.seconds <= AIM.seconds && ours.mib <= AIM.mib;
  return `# Program start

Written by \`make bench-program\`: from the start of the process to the last registered resource, under mocks (no engine, no
provider), ${String(REPETITIONS)} runs of each arm in turn after one to warm caches, each in a process of its own. The empty arm loads
Pulumi's SDK and registers only the stack, without a TypeScript loader.

| arm | seconds (median) | range | MiB (median) | resources |
| --- | --- | --- | --- | --- |
${row(`this program, ${String(SHARDS)} shards`, ours)}
${row("empty program", empty)}

The aim is ${String(AIM.seconds)} s and ${String(AIM.mib)} MiB: ${meets ? "met" : "NOT met"}. Measured with Node ${process.versions.node} on ${String(cpus().length)} cores.
`;
}

async function main(): Promise<void> {
  const samples: Record<Arm, Sample[]> = { empty: [], ours: [] };
  measure("empty");
  measure("ours");
  for (let repetition = 1; repetition <= REPETITIONS; repetition += 1) {
    // In turn, so that whatever else the machine does meets both arms alike.
    samples.empty.push(measure("empty"));
    samples.ours.push(measure("ours"));
    process.stderr.write(`run ${String(repetition)} of ${String(REPETITIONS)}\n`);
  }
  const [ours, empty] = [summarize(samples.ours), summarize(samples.empty)];
  mkdirSync(join(REPORT, ".."), { recursive: true });
  writeFileSync(REPORT, await format(report(ours, empty), { parser: "markdown" }));
  const round = (value: number) => Number(value.toFixed(2));
  const result = {
    seconds: round(ours.seconds),
    mib: Math.round(ours.mib),
    vsEmpty: round(ours.seconds / empty.seconds),
  };
  process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
