/** Since when each shard is passed over, because this exporter or another can't reach it. */
export class Outages {
  readonly #lookback: number;
  readonly #now: () => number;
  /** By position in the ring, milliseconds since the epoch. */
  readonly #since = new Map<number, number>();

  /** @param lookback Milliseconds for which a sample is visible. */
  constructor(lookback: number, now: () => number) {
    this.#lookback = lookback;
    this.#now = now;
  }

  /**
   * Positions of the shards that went down within the last lookback: of what was stored there before, something may still
   * be visible.
   * @param isDown By position.
   */
  recent(isDown: readonly boolean[]): ReadonlySet<number> {
    const now = this.#now();
    const found = new Set<number>();
    isDown.forEach((down, position) => {
      if (!down) {
        this.#since.delete(position);
        return;
      }
      const since = this.#since.get(position) ?? now;
      this.#since.set(position, since);
      if (now - since < this.#lookback) found.add(position);
    });
    return found;
  }
}
