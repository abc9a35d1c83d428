import type { ExporterShard } from "../../model/exporter-config";
import { log, messageOf } from "../plumbing/log";
import type { BatchNumbers } from "./batch-numbers";
import { CircuitBreaker } from "./circuit-breaker";
import type { ExporterMetrics } from "./exporter-metrics";
import { HubClient, type FailureKind, type Hub, type HubOutcome } from "./hub-client";

/** What became of one push to all hubs of a shard. */
export type ShardOutcome =
  | { readonly kind: "stored" }
  /** Every hub failed: the samples belong to the next shard. */
  | {
      readonly kind: "failed";
      readonly detail: string;
      /** A hub was reached and did not say no: it may have taken them all the same. */
      readonly mayHold: boolean;
    }
  | { readonly kind: "bad-payload"; readonly detail: string };

/** After these a hub has certainly taken nothing. */
const saidNo: ReadonlySet<FailureKind> = new Set(["refused", "full"]);

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

  constructor(shard: ExporterShard, { metrics, numbers, timeout, makeHub }: ShardWriterDeps) {
    this.name = shard.name;
    this.#metrics = metrics;
    this.#numbers = numbers;
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

  /**
   * Pushes lines and the number of this write to every hub that is not left alone, or to all when all are. Stored as soon
   * as one took it and the others have answered; a hub that failed alone is a missed replica. Never rejects.
   * @param samples Number of the lines.
   */
  async push(lines: Buffer, samples: number): Promise<ShardOutcome> {
    const allOpen = this.isOpen;
    // A number is never used twice: a hub that did not answer may have taken the write all the same.
    const body = Buffer.concat([lines, this.#numbers.next()]);
    const outcomes = await Promise.all(
      this.#replicas.map(async (replica): Promise<HubOutcome> => {
        if (replica.breaker.isOpen && !allOpen) return { kind: "failed", failure: "refused", detail: "left alone" };
        return await this.#pushTo(replica, body, samples);
      }),
    );
    if (outcomes.some(({ kind }) => kind === "stored")) {
      outcomes.forEach(({ kind }, at) => {
        const replica = this.#replicas[at];
        if (kind === "stored" || replica === undefined) return;
        this.#metrics.missedReplicaWrites.add(1, replica.labels);
        this.#metrics.missedReplicaSamples.add(samples, replica.labels);
      });
      return { kind: "stored" };
    }
    return (
      outcomes.find((outcome) => outcome.kind === "bad-payload") ?? {
        kind: "failed",
        detail: outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.detail : "")).join("; "),
        mayHold: outcomes.some((outcome) => outcome.kind === "failed" && !saidNo.has(outcome.failure)),
      }
    );
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
