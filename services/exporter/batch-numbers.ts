import { BATCH_METRIC } from "../../model/names";

/**
 * Numbers the writes of one exporter to one shard. Every write carries one more sample, the same to every replica:
 *
 *     pipeline_push_batch{exporter="exporter-7d4b9-x2x5z"} 1767225600000001 1767225600123
 *
 * so that a replica which has a number has the whole write, and one that lacks a number which the other has missed a
 * write. Numbers go up by one. They begin at the start's milliseconds since the epoch times 1,000, so that they go up over
 * restarts too, up to a million writes a second, and stay below 2^53 (until the year 2255), which a sample's value holds
 * exactly.
 */
export class BatchNumbers {
  readonly #series: string;
  readonly #now: () => number;
  #number: number;
  #timestamp = 0;

  /**
   * @param exporter Name of the exporter, alone with it among those of the pipeline: its pod.
   * @param now Milliseconds since the epoch.
   */
  constructor(exporter: string, now: () => number) {
    const value = exporter.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
    this.#series = `${BATCH_METRIC}{exporter="${value}"}`;
    this.#now = now;
    this.#number = Math.floor(now()) * 1000;
  }

  /** Number of the last write. */
  get number(): number {
    return this.#number;
  }

  /** Timestamp of the last write's line, milliseconds since the epoch. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /**
   * The line of the next write. Its timestamp is the time of the write, and at least a millisecond after the last one's:
   * Prometheus refuses two values of a series at one timestamp.
   */
  next(): Buffer {
    this.#number += 1;
    this.#timestamp = Math.max(Math.floor(this.#now()), this.#timestamp + 1);
    return Buffer.from(`${this.#series} ${String(this.#number)} ${String(this.#timestamp)}\n`);
  }
}
