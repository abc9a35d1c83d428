/**
 * `make bench-exporter`: the exporter on one core, writing both replicas of N shards to sinks that check every line, beside
 * the edge hub taking the same bodies. Writes docs/measured/exporter.md; the last line is
 * `RESULT {"samplesPerSecond":n,"vsHub":x}` (design, section 12) with more figures behind.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { servicesBundle } from "../components/kit/bundle";
import { repositoryRoot } from "../tools/paths";
import { runMain, say, step, UserError } from "../tools/terminal";
import {
  drain,
  isPinned,
  leaveMeasuredCore,
  residentBytes,
  startExporter,
  startHub,
  startSinks,
} from "./exporter/arms";
import type { Sinks, Target } from "./exporter/arms";
import { makeBodies, type Body, type LabelOrder } from "./exporter/bodies";
import type { Tally } from "./exporter/checksum";
import { quantile, runLoad, type LoadOptions, type LoadResult } from "./exporter/load";
import { readOptions, type Options } from "./exporter/options";
import { report, type ArmFigures, type Figures, type MemoryFigures } from "./exporter/report";
import { cpuSeconds, peakMemory } from "./query/proc";
import { Processes } from "./query/processes";

const STATE = join(repositoryRoot, ".state", "bench-exporter");
const REPORT = join(repositoryRoot, "docs", "measured", "exporter.md");
/** Rounds take turns among so many variants of the bodies. */
const VARIANTS = 4;
/** CPU seconds that the exporter gets to settle before it is measured: the compiler has done its work by then. */
const WARM_UP_CPU_SECONDS = 3;

/** What is pushed. */
interface Kind {
  readonly title: string;
  /** Gateways in a body. */
  readonly gateways: number;
  readonly order: LabelOrder;
  /** Pushes under way at a time. */
  readonly pushes: number;
}

/** The first one, pushes as a controller sends them, is the headline. */
const KINDS: readonly Kind[] = [
  { title: "32 gateways a push, half of the lines unsorted", gateways: 32, order: "mixed", pushes: 16 },
  { title: "32 gateways, all sorted", gateways: 32, order: "sorted", pushes: 16 },
  { title: "32 gateways, all unsorted", gateways: 32, order: "shuffled", pushes: 16 },
  { title: "1 gateway, half unsorted", gateways: 1, order: "mixed", pushes: 128 },
  { title: "the whole fleet in a push, half unsorted", gateways: 1_000, order: "mixed", pushes: 3 },
];

const emptyTallies = (shards: number): readonly Tally[] =>
  Array.from({ length: shards }, () => ({ lines: 0, checksum: 0 }));

/** @throws UserError when a push was not acknowledged. */
function requireAcknowledged({ failures }: LoadResult): void {
  const [first] = failures;
  if (first !== undefined) throw new UserError(`${String(failures.length)} pushes failed, the first with ${first}`);
}

function figuresOf(load: LoadResult, cpu: number): ArmFigures {
  requireAcknowledged(load);
  return {
    samples: load.samples,
    seconds: load.seconds,
    cpuSeconds: cpu,
    megabytesPerSecond: load.bytes / load.seconds / 1e6,
    p50: quantile(load.latencies, 0.5),
    p99: quantile(load.latencies, 0.99),
  };
}

/** Compares every shard's replicas with what was pushed. @throws UserError when one holds another number or other lines. */
async function verify(sinks: Sinks, expected: readonly Tally[]): Promise<void> {
  const tallies = await sinks.tallies();
  for (const [shard, { lines, checksum }] of expected.entries()) {
    for (const [replica, tally] of (tallies[shard] ?? []).entries()) {
      if (tally.lines === lines && tally.checksum === checksum) continue;
      const where = `shard ${String(shard)}, replica ${String(replica)}`;
      throw new UserError(
        `${where}: ${String(tally.lines)} lines with checksum ${String(tally.checksum)} arrived, ${String(lines)} with ${String(checksum)} were pushed`,
      );
    }
  }
}

/** The hub keeps all it gets: it is emptied after each round, and that time does not count. */
async function measureHub(
  hub: Target,
  variants: readonly (readonly Body[])[],
  concurrency: number,
  options: Options,
): Promise<ArmFigures> {
  const load = { url: hub.url, variants, concurrency, expected: emptyTallies(options.shards) };
  const parts: LoadResult[] = [];
  let cpu = 0;
  for (let seconds = 0; seconds < options.seconds;) {
    const before = cpuSeconds(hub.pid);
    const part = await runLoad({ ...load, seconds: 60, isOneRound: true });
    cpu += cpuSeconds(hub.pid) - before;
    seconds += part.seconds;
    parts.push(part);
    await drain(hub);
  }
  const sum = (of: (part: LoadResult) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const latencies = parts.flatMap((part) => part.latencies).sort((left, right) => left - right);
  const failures = parts.flatMap((part) => part.failures);
  const whole = {
    seconds: sum((part) => part.seconds),
    samples: sum((part) => part.samples),
    bytes: sum((part) => part.bytes),
  };
  return figuresOf({ ...whole, pushes: latencies.length, latencies, failures }, cpu);
}

async function warmUp(exporter: Target, load: Omit<LoadOptions, "seconds">): Promise<void> {
  const until = cpuSeconds(exporter.pid) + WARM_UP_CPU_SECONDS;
  while (cpuSeconds(exporter.pid) < until) requireAcknowledged(await runLoad({ ...load, seconds: 1 }));
}

async function watchMemory(
  exporter: Target,
  sinks: Sinks,
  load: Omit<LoadOptions, "seconds">,
  minutes: number,
): Promise<MemoryFigures> {
  const mebibytes: number[] = [];
  const timer = setInterval(() => mebibytes.push(residentBytes(exporter.pid) / 2 ** 20), 1_000);
  try {
    const before = cpuSeconds(exporter.pid);
    const result = await runLoad({ ...load, seconds: minutes * 60 });
    const arm = figuresOf(result, cpuSeconds(exporter.pid) - before);
    await verify(sinks, load.expected);
    return { minutes, arm, mebibytes };
  } finally {
    clearInterval(timer);
  }
}

async function measureAll(options: Options, processes: Processes, bundle: string): Promise<Figures> {
  const sinks = await startSinks(options.shards);
  try {
    const expected = emptyTallies(options.shards);
    const exporter = await startExporter(processes, sinks, {
      bundle,
      config: join(STATE, "config.json"),
      profile: options.profile,
    });
    const hub = await startHub(processes);
    const kinds: Figures["kinds"][number][] = [];
    let memory: MemoryFigures | undefined;
    const chosen = KINDS.filter(({ title }) => title.includes(options.only));
    for (const [at, { title, gateways, order, pushes }] of chosen.entries()) {
      const variants = Array.from({ length: VARIANTS }, (_, one) => makeBodies(one, gateways, order, options.shards));
      const load = { url: exporter.url, variants, concurrency: pushes, expected };
      await step(title, async () => {
        await warmUp(exporter, load);
        const before = cpuSeconds(exporter.pid);
        const result = await runLoad({ ...load, seconds: options.seconds });
        const ours = figuresOf(result, cpuSeconds(exporter.pid) - before);
        await verify(sinks, expected);
        kinds.push({ title, pushes, exporter: ours, hub: await measureHub(hub, variants, pushes, options) });
        const rate = (arm: ArmFigures): string => Math.round(arm.samples / arm.cpuSeconds).toLocaleString("en");
        const last = kinds.at(-1);
        if (last !== undefined) say(`    samples per CPU second: ${rate(last.exporter)}, the hub ${rate(last.hub)}`);
      });
      if (at === 0 && options.minutes > 0) {
        memory = await step(`${String(options.minutes)} minutes of the same, memory watched`, () =>
          watchMemory(exporter, sinks, load, options.minutes),
        );
      }
    }
    return { options, kinds, memory, peakMebibytes: peakMemory(exporter.pid) / 2 ** 20, isPinned };
  } finally {
    sinks.stop();
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) return 0;
  process.on("SIGINT", () => process.exit(130));
  process.on("SIGTERM", () => process.exit(143));
  mkdirSync(STATE, { recursive: true });
  const bundle = join(STATE, "services.cjs");
  writeFileSync(bundle, await servicesBundle(repositoryRoot));
  leaveMeasuredCore();
  const processes = new Processes(join(STATE, "logs"));
  let figures: Figures;
  try {
    figures = await measureAll(options, processes, bundle);
  } finally {
    await processes.stop();
  }
  const { text, result } = await report(figures);
  if (options.isReported) writeFileSync(REPORT, text);
  else say(text);
  process.stdout.write(`RESULT ${JSON.stringify(result)}\n`);
  return 0;
}

runMain(main);
