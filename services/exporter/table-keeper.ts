import type { ExporterConfig } from "../../model/exporter-config";
import { parseTableText, tableVersion, type PlacementTable } from "../../model/placement-table";
import type { Pins } from "../../model/ring";

/** Milliseconds that a change may lie ahead: more is a clock that is wrong, here or there. */
const farthestAhead = 60_000;

/** Holds the newest good table of this exporter's ring, and says when its pins begin. Decides; fetches nothing. */
export class TableKeeper {
  readonly #ringVersion: string;
  readonly #onPins: (pins: Pins, version: string) => void;
  #newest: PlacementTable | undefined;
  #used: string | undefined;

  /** `onPins`: called with the pins of each table as it comes into effect, and its version (RING.md). */
  constructor(config: Pick<ExporterConfig, "version">, onPins: (pins: Pins, version: string) => void) {
    this.#ringVersion = config.version;
    this.#onPins = onPins;
  }

  /** The newest good table; its pins may not be in effect yet. */
  get newest(): PlacementTable | undefined {
    return this.#newest;
  }

  /** Whether pins are in effect: who has none must not guess. */
  get isReady(): boolean {
    return this.#used !== undefined;
  }

  /** Milliseconds until the newest table's pins come into effect; undefined when they are. */
  wait(now: number): number | undefined {
    if (this.#newest === undefined || tableVersion(this.#newest) === this.#used) return undefined;
    return Math.max(0, this.#newest.effectiveAt - now);
  }

  /**
   * Takes a table.
   * @throws Error that says why it is refused; the last good one stays.
   */
  take(text: string, now: number): void {
    const table = parseTableText(text);
    if (table.ringVersion !== this.#ringVersion) {
      throw new Error(`ring ${table.ringVersion}: this exporter has ring ${this.#ringVersion}`);
    }
    if (this.#newest !== undefined && table.number < this.#newest.number) {
      throw new Error(`number ${String(table.number)}: goes back from ${String(this.#newest.number)}`);
    }
    if (table.effectiveAt > now + farthestAhead) {
      throw new Error(`effectiveAt ${String(table.effectiveAt)}: more than a minute after this clock's ${String(now)}`);
    }
    this.#newest = table;
    this.turn(now);
  }

  /** Puts the newest table's pins into effect if their time has come. */
  turn(now: number): void {
    if (this.#newest === undefined || this.wait(now) !== 0) return;
    this.#used = tableVersion(this.#newest);
    this.#onPins(this.#newest.pins, this.#used);
  }

  /** Whether pushes should pass over a shard, because some exporter could not reach it a moment ago. */
  isFailed(index: number, now: number): boolean {
    const failed = this.#newest?.failed ?? [];
    return failed.some(({ shard, from, until }) => shard === index && from <= now + farthestAhead && now < until);
  }
}
