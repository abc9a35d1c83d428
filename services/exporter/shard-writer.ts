import type { ExporterShard } from "../../model/exporter-shards";
import { log, messageOf } from "../plumbing/log";
import type { BatchNumbers } from "./batch-numbers";
import { CircuitBreaker } from "./circuit-breaker";
import type { KeptWrites } from "./commit-buffer";
import type { ExporterMetrics } from "./exporter-metrics";
import { HubClient, type Hub, type HubOutcome } from "./hub-client";
import type { FailureKind } from "./hub-outcome";

/** What became of one push to all hubs of a shard. */
export type ShardOutcome =
  | { readonly kind: "stored" }
  /** Nothing was pushed: too much has come at once. The samples stay this shard's; the client must send them again. */
  | { readonly kind: "busy"; readonly detail: string }
  /** Every hub failed: the samples belong to the next shard. */
  | {
      readonly kind: "failed";
      readonly detail: string;
      /** A hub was reached and did not say no: it may have taken them all the same. */
      readonly mayHold: boolean;
    }
  | { readonly kind: "bad-payload"; readonly detail: string };

/**
 * Scrape intervals for which the oldest write may wait to be stored while pushes that find no room are put off. Two pass before
 * a write that a scrape lost is sent again; a shard that has stored nothing for longer does not work.
 */
const intervalsUntilStuck = 4;

/** After these a hub has certainly taken nothing. */
const saidNo: ReadonlySet<FailureKind> = new Set(["refused", "full"]);

/**
 * Milliseconds for which a push that every hub failed is told to others: longer than they take to ask, and long enough for a
 * shard whose hubs are full to be scraped, so that it does not come and go all the time.
 */
const failureTold = 10_000;

interface Replica {
  readonly hub: Hub;
  readonly breaker: CircuitBreaker;
  readonly labels: { readonly target_shard: string; readonly target_replica: string };
}

/** Makes the client of a hub; tests put their own in. */
export type HubFactory = (hub: ExporterShard["hubs"][number], onRetry: () => void) => Hub;

/** What a writer works with. */
export interface ShardWriterDeps {
  readonly metrics: ExporterMetrics;
  readonly numbers: BatchNumbers;
  /** Where writes are kept until they are stored; undefined: nowhere. */
  readonly kept?: KeptWrites | undefined;
  /** Between two scrapes of a hub. */
  readonly scrapeIntervalMilliseconds: number;
  /** Wall clock, milliseconds since the epoch; default: the system's. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds for one push to one hub. */
  readonly timeout: number;
  readonly makeHub?: HubFactory | undefined;
}

/** Writes to every hub of one shard, each of which feeds one Prometheus replica. */
export class ShardWriter {
  readonly name: string;
  readonly #replicas: readonly Replica[];
  readonly #metrics: ExporterMetrics;
  readonly #numbers: BatchNumbers;
  readonly #kept: KeptWrites | undefined;
  /** Milliseconds. */
  readonly #patience: number;
  readonly #now: () => number;
  /** When a push went elsewhere last, milliseconds since the epoch. */
  #failedAt = -Infinity;

  constructor(shard: ExporterShard, deps: ShardWriterDeps) {
    const { metrics, numbers, kept, now, timeout, makeHub } = deps;
    this.#patience = deps.scrapeIntervalMilliseconds * intervalsUntilStuck;
    this.name = shard.name;
    this.#metrics = metrics;
    this.#numbers = numbers;
    this.#kept = kept;
    this.#now = now ?? Date.now;
    const make: HubFactory = makeHub ?? ((hub, onRetry) => new HubClient(hub, timeout, onRetry));
    this.#replicas = shard.hubs.map((config) => {
      const labels = { target_shard: shard.name, target_replica: config.replica };
      const hub = make(config, () => metrics.hubRetries.add(1, labels));
      const breaker = new CircuitBreaker({
        probe: () => hub.probe(),
        onChange: (open) => {
          metrics.hubUp.set(open ? 0 : 1, labels);
          log(open ? "warn" : "info", open ? "hub left alone after failures" : "hub is back", {
            ...labels,
            url: config.url,
          });
        },
      });
      return { hub, breaker, labels };
    });
  }

  /** Whether every hub of the shard is left alone at present. */
  get isOpen(): boolean {
    return this.#replicas.every(({ breaker }) => breaker.isOpen);
  }

  /** Whether pushes go elsewhere, or one did a moment ago: all exporters should do the same. */
  get isFailing(): boolean {
    return this.isOpen || this.#now() - this.#failedAt < failureTold;
  }

  /**
   * Pushes lines and the number of this write to every hub that is not left alone, or to all when all are. Stored as soon
   * as one took it and the others have answered; a hub that failed alone is a missed replica. A stored write is kept until
   * the replicas' Prometheus have it; without room to keep it, nothing is pushed: the shard is busy with a burst, or failed when
   * nothing has been stored for a while. Never rejects.
   * @param samples Number of the lines.
   */
  async push(lines: Buffer, samples: number): Promise<ShardOutcome> {
    const allOpen = this.isOpen;
    // A number is never used twice: a hub that did not answer may have taken the write all the same.
    const line = this.#numbers.next();
    const { number, timestamp } = this.#numbers;
    if (this.#kept?.makeRoom(lines.length + line.length) === false) {
      this.#metrics.bufferRefusedSamples.add(samples, { target_shard: this.name });
      const detail = "too much waits to be stored";
      const now = this.#now();
      if (now - (this.#kept.oldestUnstored ?? now) < this.#patience) return { kind: "busy", detail };
      this.#failedAt = now;
      return { kind: "failed", detail, mayHold: false };
    }
    const body = joined(lines, line);
    const write = this.#kept?.add({ number, timestamp, body, samples });
    const outcomes = await Promise.all(
      this.#replicas.map(async (replica): Promise<HubOutcome> => {
        if (replica.breaker.isOpen && !allOpen) return { kind: "failed", failure: "refused", detail: "left alone" };
        return await this.#pushTo(replica, body, samples);
      }),
    );
    const taken = outcomes.map(({ kind }) => kind === "stored");
    const mayHold = outcomes.some((outcome) => outcome.kind === "failed" && !saidNo.has(outcome.failure));
    if (write !== undefined) this.#kept?.settle(write, taken, this.#now(), mayHold);
    if (taken.includes(true)) {
      outcomes.forEach(({ kind }, at) => {
        const replica = this.#replicas[at];
        if (kind === "stored" || replica === undefined) return;
        this.#metrics.missedReplicaWrites.add(1, replica.labels);
        this.#metrics.missedReplicaSamples.add(samples, replica.labels);
      });
      return { kind: "stored" };
    }
    const bad = outcomes.find((outcome) => outcome.kind === "bad-payload");
    if (bad !== undefined) return bad;
    this.#failedAt = this.#now();
    return {
      kind: "failed",
      detail: outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.detail : "")).join("; "),
      mayHold,
    };
  }

  /** Whether the hub of one replica, by position, is left alone at present. */
  isLeftAlone(at: number): boolean {
    return this.#replicas[at]?.breaker.isOpen ?? true;
  }

  /** Pushes a write, which has its number already, to the hub of one replica, by position. Never rejects. */
  async pushTo(at: number, body: Buffer, samples: number): Promise<HubOutcome> {
    const replica = this.#replicas[at];
    if (replica === undefined) return { kind: "failed", failure: "refused", detail: "no such replica" };
    return await this.#pushTo(replica, body, samples);
  }

  /** Ends the probing of failed hubs. */
  stop(): void {
    for (const { breaker } of this.#replicas) breaker.stop();
  }

  async #pushTo({ hub, breaker, labels }: Replica, body: Buffer, samples: number): Promise<HubOutcome> {
    const startedAt = performance.now();
    const outcome = await hub
      .push(body)
      .catch((error: unknown): HubOutcome => ({ kind: "failed", failure: "refused", detail: messageOf(error) }));
    this.#metrics.hubSeconds.observe((performance.now() - startedAt) / 1000, labels);
    if (outcome.kind === "stored") {
      this.#metrics.hubSamples.add(samples, labels);
      this.#metrics.hubBytes.add(body.length, labels);
    } else {
      const reason = outcome.kind === "failed" ? outcome.failure : outcome.kind;
      this.#metrics.hubFailures.add(1, { ...labels, reason });
    }
    // A full hub answers at once and is emptied by the next scrape: it need not be left alone, nor is it down.
    if (outcome.kind === "failed" && outcome.failure !== "full") breaker.failed(outcome.failure === "timeout" ? 2 : 1);
    else breaker.succeeded();
    return outcome;
  }
}

/** In memory of its own: a kept piece of the runtime's pool would keep the rest of the pool as well. */
function joined(lines: Buffer, line: Buffer): Buffer {
  const body = Buffer.allocUnsafeSlow(lines.length + line.length);
  line.copy(body, lines.copy(body));
  return body;
}
