import type { ExporterConfig } from "../../model/exporter-config";
import type { Counter, Labels, Metrics } from "../plumbing/metrics";
import type { CommitBuffer, CommitEvents, GivenUpReason } from "./commit-buffer";
import { isAcknowledged, isStored, type KeptWrite } from "./kept-write";

/** Own metrics about kept writes; labels as in ExporterMetrics. */
export class CommitMetrics implements CommitEvents {
  readonly resentWrites: Counter;
  readonly resentSamples: Counter;
  readonly resendFailures: Counter;
  readonly checkFailures: Counter;
  readonly #storedWrites: Counter;
  readonly #storedSamples: Counter;
  readonly #givenUpWrites: Counter;
  readonly #lostSamples: Counter;
  readonly #lostWrites: Counter;
  readonly #shards: readonly { readonly shard: Labels; readonly replicas: readonly Labels[] }[];

  constructor(
    readonly all: Metrics,
    config: ExporterConfig,
  ) {
    this.#storedWrites = all.counter("exporter_committed_writes_total", "Writes found in a replica's Prometheus.");
    this.#storedSamples = all.counter("exporter_committed_samples_total", "Samples of those writes.");
    this.resentWrites = all.counter(
      "exporter_resent_writes_total",
      "Writes sent to a hub later or again: missed (it did not take it at first) or vanished (it took it, and it was not stored).",
    );
    this.resentSamples = all.counter("exporter_resent_samples_total", "Samples of those writes.");
    this.resendFailures = all.counter("exporter_resend_failures_total", "Such writes that the hub did not take.");
    this.#givenUpWrites = all.counter(
      "exporter_given_up_writes_total",
      "Writes that are not sent to a replica again, by reason: full, old, tries or refused.",
    );
    this.#lostWrites = all.counter("exporter_lost_writes_total", "Acknowledged writes given up at every replica.");
    this.#lostSamples = all.counter(
      "exporter_lost_samples_total",
      "Acknowledged samples that no replica has stored, and that are not sent again.",
    );
    this.checkFailures = all.counter(
      "exporter_commit_check_failures_total",
      "Questions about stored writes that a replica's Prometheus did not answer.",
    );
    this.#shards = config.shards.map(({ name, hubs }) => ({
      shard: { target_shard: name },
      replicas: hubs.map(({ replica }) => ({ target_shard: name, target_replica: replica })),
    }));
    for (const { shard, replicas } of this.#shards) {
      for (const metric of [this.#lostSamples, this.#lostWrites]) metric.add(0, shard);
      for (const replica of replicas) {
        for (const metric of [this.#storedWrites, this.#storedSamples, this.checkFailures]) metric.add(0, replica);
        for (const reason of ["full", "old", "tries", "refused"]) this.#givenUpWrites.add(0, { ...replica, reason });
        for (const reason of ["missed", "vanished"]) {
          this.resentWrites.add(0, { ...replica, reason });
          this.resentSamples.add(0, { ...replica, reason });
        }
      }
    }
  }

  /** Shows the state of a buffer whenever the metrics are read. */
  show(buffer: CommitBuffer, now: () => number): void {
    const { all } = this;
    const gauges = {
      bytes: all.gauge("exporter_buffer_bytes", "Bytes of the writes that are kept until they are stored."),
      writes: all.gauge("exporter_buffer_writes", "Writes that are kept until they are stored."),
      unstored: all.gauge(
        "exporter_uncommitted_samples",
        "Acknowledged samples that no replica is known to have stored.",
      ),
      age: all.gauge(
        "exporter_oldest_uncommitted_seconds",
        "Age of the oldest acknowledged write that no replica is known to have stored; 0 when there is none.",
      ),
      behind: all.gauge(
        "exporter_replica_behind_seconds",
        "Age of the oldest kept write that a replica is not known to have stored; 0 when there is none.",
      ),
    };
    all.gauge("exporter_buffer_limit_bytes", "Bytes of writes that may be kept.").set(buffer.limit);
    all.onRender(() => {
      const at = now();
      buffer.shards.forEach((kept, position) => {
        const labels = this.#shards[position];
        if (labels === undefined) return;
        const seen = summary(kept.writes, labels.replicas.length, at);
        gauges.bytes.set(kept.bytes, labels.shard);
        gauges.writes.set(kept.writes.size, labels.shard);
        gauges.unstored.set(seen.unstoredSamples, labels.shard);
        gauges.age.set(seen.age, labels.shard);
        labels.replicas.forEach((replica, index) => gauges.behind.set(seen.behind[index] ?? 0, replica));
      });
    });
  }

  /** Labels of a shard, by its position. */
  shardLabels(shard: number): Labels {
    return this.#shards[shard]?.shard ?? {};
  }

  /** Labels of a replica, by positions. */
  replicaLabels(shard: number, replica: number): Labels {
    return this.#shards[shard]?.replicas[replica] ?? {};
  }

  stored(shard: number, replica: number, write: KeptWrite): void {
    const labels = this.replicaLabels(shard, replica);
    this.#storedWrites.add(1, labels);
    this.#storedSamples.add(write.samples, labels);
  }

  givenUp(shard: number, replica: number, _: KeptWrite, reason: GivenUpReason): void {
    this.#givenUpWrites.add(1, { ...this.replicaLabels(shard, replica), reason });
  }

  lost(shard: number, write: KeptWrite): void {
    this.#lostWrites.add(1, this.shardLabels(shard));
    this.#lostSamples.add(write.samples, this.shardLabels(shard));
  }
}

interface Summary {
  /** Seconds. */
  readonly age: number;
  /** Seconds, by position of the replica. */
  readonly behind: readonly number[];
  readonly unstoredSamples: number;
}

/** What the gauges tell about the writes to one shard. */
export function summary(writes: Iterable<KeptWrite>, replicas: number, now: number): Summary {
  const behind = new Array<number>(replicas).fill(0);
  let age = 0;
  let unstoredSamples = 0;
  for (const write of writes) {
    if (!isAcknowledged(write)) continue;
    const seconds = Math.max(0, (now - write.timestamp) / 1000);
    if (!isStored(write)) {
      age = Math.max(age, seconds);
      unstoredSamples += write.samples;
    }
    write.copies.forEach(({ state }, at) => {
      if (state === "sent" || state === "missed") behind[at] = Math.max(behind[at] ?? 0, seconds);
    });
  }
  return { age, behind, unstoredSamples };
}
