import { gzip } from "node:zlib";
import { promisify } from "node:util";
import { log } from "../plumbing/log";
import type { ExporterMetrics } from "./exporter-metrics";
import type { MarkedShard } from "./marked-shards";
import type { MarkerClient } from "./marker-client";
import type { SeriesEnder } from "./marking";

/** Lines of one request: a tenth of a second of the gate's time. */
const linesPerRequest = 4_000;
/** Characters of one request, unless a single line has more: the gate refuses more than four times as many bytes for good. */
const charactersPerRequest = 1024 * 1024;
/** Bytes that wait at most, over all replicas; a body for two replicas counts twice. */
const maxQueuedBytes = 64 * 1024 * 1024;
/** First and longest pause after a failure, in milliseconds. */
const firstPause = 500;
const longestPause = 10_000;

interface Batch {
  readonly body: Buffer;
  readonly series: number;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

interface Queue {
  readonly client: MarkerClient;
  readonly labels: { readonly target_shard: string; readonly target_replica: string };
  readonly batches: Batch[];
  /** Milliseconds; 0 after a success. */
  pause: number;
  running: boolean;
}

/** What the markers are written with. */
export interface StaleMarkersDeps {
  readonly metrics: ExporterMetrics;
  readonly makeClient: (prometheusUrl: string) => MarkerClient;
  /** Milliseconds for which a batch is tried again: as long as Prometheus takes samples that old. */
  readonly keep: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Bytes; tests put their own in. */
  readonly maxBytes?: number;
}

const pack = promisify(gzip);

/**
 * Brings staleness markers to every replica of the shards that series left, through the gate in each Prometheus' pod. Each
 * replica has a queue of its own, in which the oldest batch is tried until it is taken. What comes when the queues are
 * full, and what was tried for too long, is dropped and counted.
 */
export class StaleMarkers implements SeriesEnder {
  readonly #deps: StaleMarkersDeps;
  readonly #shards: readonly (readonly Queue[])[];
  readonly #timers = new Set<NodeJS.Timeout>();
  #bytes = 0;
  #packing = 0;
  #stopped = false;

  constructor(shards: readonly MarkedShard[], deps: StaleMarkersDeps) {
    this.#deps = deps;
    this.#shards = shards.map(({ name, replicas }) =>
      replicas.flatMap(({ replica, prometheusUrl }) => {
        if (prometheusUrl === undefined) return [];
        const labels = { target_shard: name, target_replica: replica };
        return [{ client: deps.makeClient(prometheusUrl), labels, batches: [], pause: 0, running: false }];
      }),
    );
  }

  end(position: number, lines: readonly string[]): void {
    let from = 0;
    let characters = 0;
    lines.forEach(({ length }, at) => {
      if (at > from && (at - from >= linesPerRequest || characters + length > charactersPerRequest)) {
        void this.#add(position, lines.slice(from, at));
        from = at;
        characters = 0;
      }
      characters += length;
    });
    if (from < lines.length) void this.#add(position, lines.slice(from));
  }

  /** Whether nothing waits to be written. */
  get isIdle(): boolean {
    return this.#packing === 0 && this.#shards.flat().every(({ batches }) => batches.length === 0);
  }

  /** Resolves when nothing waits any more, or after `limit` milliseconds; then what waits is given up. */
  async stop(limit: number): Promise<void> {
    const deadline = Date.now() + limit;
    while (!this.isIdle && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const queue of this.#shards.flat()) while (queue.batches.length > 0) this.#drop(queue, "the exporter stops");
  }

  async #add(position: number, lines: readonly string[]): Promise<void> {
    const { metrics, keep, now, maxBytes = maxQueuedBytes } = this.#deps;
    const queues = this.#shards[position] ?? [];
    const expires = now() + keep;
    this.#packing += 1;
    const body = await pack(Buffer.from(lines.join(""), "latin1"), { level: 1 });
    this.#packing -= 1;
    for (const queue of queues) {
      if (this.#stopped || this.#bytes + body.length > maxBytes) {
        metrics.staleMarkersDropped.add(lines.length, queue.labels);
        log("error", "staleness markers dropped: the queue is full", { ...queue.labels, series: lines.length });
        continue;
      }
      queue.batches.push({ body, series: lines.length, expires });
      this.#count(queue, body.length, lines.length);
      void this.#run(queue);
    }
  }

  async #run(queue: Queue): Promise<void> {
    if (queue.running) return;
    queue.running = true;
    for (let [batch] = queue.batches; batch !== undefined; [batch] = queue.batches) {
      if (batch.expires <= this.#deps.now()) {
        this.#drop(queue, "tried for too long");
        continue;
      }
      const { series } = batch;
      const outcome = await queue.client.write(batch.body);
      if (this.#stopped) break;
      if (outcome.kind === "written") {
        this.#take(queue);
        this.#deps.metrics.staleMarkers.add(series, queue.labels);
        queue.pause = 0;
        continue;
      }
      this.#deps.metrics.staleMarkerFailures.add(1, queue.labels);
      if (outcome.kind === "refused") {
        this.#drop(queue, outcome.detail);
        continue;
      }
      if (queue.pause === 0) log("warn", "staleness markers wait", { ...queue.labels, reason: outcome.detail });
      queue.pause = Math.min(longestPause, Math.max(firstPause, queue.pause * 2));
      await this.#wait(queue.pause * (0.75 + Math.random() / 2));
    }
    queue.running = false;
  }

  #wait(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, milliseconds);
      timer.unref();
      this.#timers.add(timer);
    });
  }

  #take(queue: Queue): Batch | undefined {
    const batch = queue.batches.shift();
    if (batch !== undefined) this.#count(queue, -batch.body.length, -batch.series);
    return batch;
  }

  #drop(queue: Queue, reason: string): void {
    const batch = this.#take(queue);
    if (batch === undefined) return;
    this.#deps.metrics.staleMarkersDropped.add(batch.series, queue.labels);
    log("error", "staleness markers dropped", { ...queue.labels, series: batch.series, reason });
  }

  #count(queue: Queue, bytes: number, series: number): void {
    this.#bytes += bytes;
    this.#deps.metrics.staleMarkersQueued.add(series, queue.labels);
  }
}
