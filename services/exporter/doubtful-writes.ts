import type { KeptWrite } from "./kept-write";

/**
 * Milliseconds for which such a write is looked for. A hub that hangs goes on with what it was sent, whoever has stopped
 * waiting; one that hangs for longer has been restarted by its probe.
 */
const patience = 600_000;

/**
 * Writes to one shard that nobody acknowledged, although a hub may have taken them: it did not answer in time. Their samples
 * went to another shard, so nothing depends on them; but where one replica's Prometheus has such a write after all, the other
 * one is to have it too.
 */
export class DoubtfulWrites {
  readonly #limit: number;
  /** In the order in which they came. */
  readonly #writes = new Map<KeptWrite, number>();
  #bytes = 0;

  /** @param limit Bytes that may be held; the oldest go first. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param now Milliseconds since the epoch. */
  add(write: KeptWrite, now: number): void {
    this.#writes.set(write, now);
    this.#bytes += write.cost;
    for (const oldest of this.#writes.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.take(oldest);
    }
  }

  /** Those that are still looked for. */
  at(now: number): readonly KeptWrite[] {
    for (const [write, since] of this.#writes) {
      if (now - since < patience) break;
      this.take(write);
    }
    return [...this.#writes.keys()];
  }

  /** Takes a write out; false when it is not here. */
  take(write: KeptWrite): boolean {
    if (!this.#writes.delete(write)) return false;
    this.#bytes -= write.cost;
    return true;
  }
}
