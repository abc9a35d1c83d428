/** How long a Prometheus that was killed takes to be back, and how much memory: its log replayed, for the shards of N. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { say, secondsSince, UserError } from "../../tools/terminal";
import type { Dataset } from "./dataset";
import { ask } from "./http";
import { freePorts, Processes } from "./processes";
import { peakMemory } from "./proc";
import { prometheusPlan } from "./programs";
import { median } from "./statistics";
import { walFolder } from "./wals";

const runSchema = z.object({
  shard: z.number(),
  /** Seconds from the start of the process to its readiness. */
  ready: z.number(),
  /** Seconds of the replay alone, as Prometheus tells. */
  replay: z.number(),
  /** Highest memory until then, bytes. */
  memory: z.number(),
  series: z.number(),
  walBytes: z.number(),
});
const resultSchema = z.object({ shards: z.number(), runs: z.array(runSchema) });
const fileSchema = z.object({ fingerprint: z.string(), result: resultSchema });

/** All starts of all shards of one N. */
export type ReplayResult = z.infer<typeof resultSchema>;
type Run = z.infer<typeof runSchema>;

/** What the report tells of one N: medians of each shard's starts, and of those the worst shard's. */
export interface ReplayFigures {
  readonly shards: number;
  readonly ready: number;
  readonly replay: number;
  readonly memory: number;
  readonly walBytes: number;
  /** Starts of each shard. */
  readonly repetitions: number;
}

export function replayFigures({ shards, runs }: ReplayResult): ReplayFigures {
  const byShard = Array.from({ length: shards }, (_, shard) => runs.filter((run) => run.shard === shard));
  const worst = (value: (run: Run) => number): number => Math.max(...byShard.map((each) => median(each.map(value))));
  return {
    shards,
    ready: worst(({ ready }) => ready),
    replay: worst(({ replay }) => replay),
    memory: worst(({ memory }) => memory),
    walBytes: worst(({ walBytes }) => walBytes),
    repetitions: Math.min(...byShard.map((each) => each.length)),
  };
}

/** The value of a metric without labels in Prometheus' own page. */
function metricOf(page: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(page)?.[1] ?? Number.NaN);
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

/** Starts one shard's Prometheus on a copy of its log. @throws UserError when it has other series afterwards. */
async function start(dataset: Dataset, shards: number, shard: number, folder: string): Promise<Run> {
  rmSync(folder, { recursive: true, force: true });
  const name = `replay-${String(shard)}`;
  const data = join(folder, name);
  cpSync(walFolder(dataset.folder, shards, shard), join(data, "wal"), { recursive: true });
  const walBytes = bytesIn(join(data, "wal"));
  const processes = new Processes(join(folder, "logs"));
  const [port = 0] = await freePorts(1);
  try {
    const startedAt = performance.now();
    const { pid } = await processes.start(prometheusPlan(name, shard, data, folder, port));
    const ready = (performance.now() - startedAt) / 1_000;
    const memory = peakMemory(pid);
    const url = `http://127.0.0.1:${String(port)}`;
    const page = await (await fetch(`${url}/metrics`)).text();
    const replay = metricOf(page, "prometheus_tsdb_data_replay_duration_seconds");
    const series = metricOf(page, "prometheus_tsdb_head_series");
    const { body, status } = await ask(url, {
      path: "/query",
      parameters: { query: 'count({__name__=~".+"})', time: String(dataset.end / 1_000) },
      method: "POST",
    });
    if (status !== 200 || !(series > 0)) {
      throw new UserError(
        `${name} of N = ${String(shards)} has no data after its replay: ${body.toString().slice(0, 300)}`,
      );
    }
    return { shard, ready, replay, memory, series, walBytes };
  } finally {
    await processes.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Kept results of replays; `settings` names programs and numbers of repetitions. */
export class Replays {
  constructor(
    private readonly folder: string,
    private readonly settings: string,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  read(shards: number): ReplayResult | undefined {
    const path = this.#path(shards);
    if (!existsSync(path)) return undefined;
    const file = fileSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return file.success && file.data.fingerprint === this.settings ? file.data.result : undefined;
  }

  write(result: ReplayResult): void {
    writeFileSync(this.#path(result.shards), JSON.stringify({ fingerprint: this.settings, result }));
  }

  #path(shards: number): string {
    return join(this.folder, `replay-n${String(shards)}.json`);
  }
}

/**
 * Replays the logs of every N in turn, shard by shard, `repetitions` times.
 * @throws UserError when a shard, or all of an N together, do not hold the data set's series afterwards.
 */
export async function measureReplays(
  dataset: Dataset,
  shardCounts: readonly number[],
  repetitions: number,
  folder: string,
): Promise<readonly ReplayResult[]> {
  const runs = new Map<number, Run[]>(shardCounts.map((shards) => [shards, []]));
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [shards, list] of runs) {
      const startedAt = Date.now();
      const round: Run[] = [];
      for (let shard = 0; shard < shards; shard++) round.push(await start(dataset, shards, shard, folder));
      const series = round.reduce((sum, each) => sum + each.series, 0);
      if (series < dataset.series) {
        throw new UserError(
          `the replayed logs of N = ${String(shards)} hold ${String(series)} series instead of ${String(dataset.series)}`,
        );
      }
      list.push(...round);
      const slowest = Math.max(...round.map(({ ready }) => ready)).toFixed(1);
      const note = `replay ${String(repetition + 1)} of ${String(repetitions)}, N = ${String(shards)}`;
      say(`    ${note}: ready after ${slowest} s at most (${secondsSince(startedAt)} s)`);
    }
  }
  return [...runs].map(([shards, list]) => ({ shards, runs: list }));
}
