import { setTimeout as sleep } from "node:timers/promises";
import type { ExporterConfig } from "../../model/exporter-config";
import { log } from "../plumbing/log";
import { CommitBuffer } from "./commit-buffer";
import type { CommitMetrics } from "./commit-metrics";
import { isAcknowledged, isStored } from "./kept-write";
import { ReplicaCommits, type CommitDeps } from "./replica-commits";
import type { ShardWriter } from "./shard-writer";

/** Times that a replica is asked within a scrape interval, and bounds of the pause between, in milliseconds. */
const asksPerInterval = 3;
const shortestPause = 100;
const longestPause = 10_000;
/** Longest pause while the exporter waits for the last writes to be stored. */
const drainPause = 1_000;

/** Samples that an exporter which stops leaves behind. */
export interface LeftBehind {
  readonly writes: number;
  readonly samples: number;
}

/**
 * Keeps every acknowledged write until the replicas of its shard have stored it, and sends it again to those that lost or
 * missed it. What a replica has, it tells by the numbers of the writes (batch-numbers.ts).
 */
export class Commitment {
  readonly buffer: CommitBuffer;
  readonly #config: ExporterConfig;
  readonly #deps: CommitDeps;
  readonly #replicas: ReplicaCommits[] = [];
  readonly #stop = new AbortController();

  constructor(config: ExporterConfig, metrics: CommitMetrics, deps: Omit<CommitDeps, "commit" | "metrics">) {
    this.#config = config;
    this.#deps = { ...deps, metrics, commit: config.commit };
    this.buffer = new CommitBuffer(config.commit.bufferBytes, config.shards.length, metrics);
    for (const { hubs } of config.shards) this.buffer.open(hubs.length);
    metrics.show(this.buffer, deps.now);
  }

  /** Begins to look after the writes of these shards, which are those of the configuration in its order. */
  watch(writers: readonly ShardWriter[]): void {
    this.#config.shards.forEach(({ hubs }, shard) => {
      const kept = this.buffer.shards[shard];
      const writer = writers[shard];
      hubs.forEach(({ prometheusUrl }, replica) => {
        if (kept === undefined || writer === undefined || prometheusUrl === undefined) return;
        const commits = new ReplicaCommits(
          {
            ...{ shard, replica, kept, prometheusUrl },
            isLeftAlone: () => writer.isLeftAlone(replica),
            push: (body, samples) => writer.pushTo(replica, body, samples),
          },
          this.#deps,
        );
        this.#replicas.push(commits);
      });
    });
  }

  /** Looks after them from now on, in the background. */
  start(): void {
    for (const replica of this.#replicas) void this.#loop(replica);
  }

  /** Looks at every replica once. */
  async tick(): Promise<void> {
    await Promise.all(this.#replicas.map((replica) => replica.tick(this.#pause())));
  }

  /**
   * Waits until some replica has stored each acknowledged write.
   * @param limit Milliseconds.
   * @returns what no replica is known to have when the time is over.
   */
  async drained(limit: number): Promise<LeftBehind> {
    this.stop();
    const end = AbortSignal.timeout(limit);
    const pause = Math.min(this.#pause(), drainPause);
    const over = new Promise<void>((resolve) => end.addEventListener("abort", () => resolve(), { once: true }));
    while (this.#left().writes > 0 && !end.aborted) {
      await Promise.race([this.tick(), over]);
      if (this.#left().writes > 0) await sleep(pause, undefined, { signal: end }).catch(() => undefined);
    }
    const left = this.#left();
    if (left.writes > 0) log("error", "stopped before everything was stored", { ...left, limit });
    return left;
  }

  /** Ends what goes on in the background. */
  stop(): void {
    this.#stop.abort();
  }

  async #loop(replica: ReplicaCommits): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      // Spread, so that exporters and replicas are not in step.
      const pause = this.#pause() * (0.75 + Math.random() / 2);
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await replica.tick(pause);
    }
  }

  #pause(): number {
    const { scrapeIntervalMilliseconds } = this.#config.commit;
    return Math.min(longestPause, Math.max(shortestPause, scrapeIntervalMilliseconds / asksPerInterval));
  }

  #left(): LeftBehind {
    let writes = 0;
    let samples = 0;
    for (const kept of this.buffer.shards) {
      for (const write of kept.writes) {
        if (isStored(write) || !isAcknowledged(write)) continue;
        writes += 1;
        samples += write.samples;
      }
    }
    return { writes, samples };
  }
}
