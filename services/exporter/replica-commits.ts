import type { ExporterCommit } from "../../model/exporter-config";
import { log, messageOf } from "../plumbing/log";
import type { KeptWrites } from "./commit-buffer";
import type { CommitMetrics } from "./commit-metrics";
import type { HubOutcome } from "./hub-client";
import { oldestSample, type KeptWrite } from "./kept-write";
import { resendBudget, verdict } from "./resend";
import { askable, type ReadNumbers } from "./stored-numbers";

/** One replica of a shard, as far as its kept writes are concerned. */
export interface CommittedReplica {
  /** Positions of the shard and of the replica. */
  readonly shard: number;
  readonly replica: number;
  readonly kept: KeptWrites;
  /** Base URL of its Prometheus. */
  readonly prometheusUrl: string;
  /** Whether its hub is left alone at present because its pushes failed. */
  readonly isLeftAlone: () => boolean;
  /** Pushes to its hub alone; never rejects. */
  readonly push: (body: Buffer, samples: number) => Promise<HubOutcome>;
}

/** What it works with. */
export interface CommitDeps {
  readonly commit: ExporterCommit;
  readonly metrics: CommitMetrics;
  readonly readNumbers: ReadNumbers;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Finds out which writes one replica has stored, and sends it those that it lacks. */
export class ReplicaCommits {
  readonly #replica: CommittedReplica;
  readonly #deps: CommitDeps;
  readonly #oldest = new WeakMap<KeptWrite, number>();
  #answeringSince: number | undefined;
  #wasSilent = false;
  #running: Promise<void> | undefined;

  constructor(replica: CommittedReplica, deps: CommitDeps) {
    this.#replica = replica;
    this.#deps = deps;
  }

  /**
   * Asks and sends once, or waits for what is under way already; never rejects.
   * @param pause Milliseconds until the next time, which sets how much is sent.
   */
  async tick(pause: number): Promise<void> {
    this.#running ??= this.#ask()
      .then(() => this.#send(pause))
      .finally(() => (this.#running = undefined));
    await this.#running;
  }

  async #ask(): Promise<void> {
    const { kept, replica, shard, prometheusUrl } = this.#replica;
    const { now, metrics, readNumbers } = this.#deps;
    const sent = [...kept.writes].filter(({ copies }) => copies[replica]?.state === "sent");
    const askedAt = now();
    const labels = metrics.replicaLabels(shard, replica);
    try {
      const asked = [...sent, ...kept.doubtful.at(askedAt)].sort((one, other) => one.timestamp - other.timestamp);
      for (const piece of askable(asked)) {
        const [first, last] = [piece[0], piece.at(-1)];
        if (first === undefined || last === undefined) continue;
        const numbers = await readNumbers(prometheusUrl, first.timestamp, last.timestamp);
        for (const write of piece) if (numbers.has(write.number)) kept.found(write, replica, askedAt);
      }
      if (sent.length === 0) return;
      this.#answeringSince ??= askedAt;
      if (this.#wasSilent) log("info", "replica tells again what it has stored", labels);
      this.#wasSilent = false;
    } catch (error) {
      metrics.checkFailures.add(1, labels);
      this.#answeringSince = undefined;
      if (!this.#wasSilent)
        log("warn", "replica does not tell what it has stored", { ...labels, error: messageOf(error) });
      this.#wasSilent = true;
    }
  }

  async #send(pause: number): Promise<void> {
    const { kept, replica } = this.#replica;
    const { commit } = this.#deps;
    const facts = { ...commit, now: this.#deps.now(), answeringSince: this.#answeringSince };
    const isAlone = this.#replica.isLeftAlone();
    // Reading all timestamps of a write takes its time: only for those that can be sent.
    const oldest = isAlone ? () => Infinity : (write: KeptWrite) => this.#oldestOf(write);
    let budget = resendBudget(commit.bufferBytes, commit.scrapeIntervalMilliseconds, pause);
    for (const write of [...kept.writes]) {
      const copy = write.copies[replica];
      if (copy === undefined) continue;
      const decided = verdict(write, copy, facts, oldest);
      if (decided.do === "give-up") kept.giveUp(write, replica, decided.reason);
      if (decided.do !== "send" || isAlone) continue;
      // At least one, however large.
      if (budget <= 0) return;
      budget -= write.cost;
      if (!(await this.#sendOne(write))) return;
    }
  }

  /** Whether to go on with the next. */
  async #sendOne(write: KeptWrite): Promise<boolean> {
    const { kept, replica, shard } = this.#replica;
    const { metrics, now } = this.#deps;
    const labels = metrics.replicaLabels(shard, replica);
    const copy = write.copies[replica];
    const { kind } = await this.#replica.push(write.body, write.samples);
    if (kind === "bad-payload") kept.giveUp(write, replica, "refused");
    if (kind !== "stored") metrics.resendFailures.add(1, labels);
    // Meanwhile it may have been given up to make room.
    if (kind === "stored" && (copy?.state === "sent" || copy?.state === "missed")) {
      const reason = copy.state === "sent" ? "vanished" : "missed";
      metrics.resentWrites.add(1, { ...labels, reason });
      metrics.resentSamples.add(write.samples, { ...labels, reason });
      if (copy.state === "sent") copy.resends += 1;
      copy.state = "sent";
      copy.since = now();
    }
    return kind !== "failed";
  }

  #oldestOf(write: KeptWrite): number {
    const known = this.#oldest.get(write) ?? oldestSample(write.body);
    this.#oldest.set(write, known);
    return known;
  }
}
