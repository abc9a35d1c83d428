import type { FailoverReport } from "../../model/exporter-reports";
import { planPlacement, type PlacementPlan } from "../../model/placement";
import type { PlacementConfig } from "../../model/placement-config";
import {
  MAX_PLACED_KEYS,
  MAX_PREVIOUS,
  tableVersion,
  type MovedKey,
  type PlacementTable,
  type PreviousRing,
} from "../../model/placement-table";
import { shardOrder } from "../../model/ring";
import { failedShards } from "./failures";
import type { KnownKey, Stored } from "./table-store";

/** Milliseconds for which a key that is not seen keeps its place. */
const forgetAfter = 3_600_000;
/** Milliseconds by which the end of a ring before this one is put off while an exporter still uses it. */
const leaving = 5_000;

/** What a writer works with. */
export interface TableWriterDeps {
  readonly config: PlacementConfig;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds from a change of pins to its effect: all exporters must have seen it by then. */
  readonly notice: number;
  /** Keeps what is published, before anybody sees it. */
  readonly publish: (stored: Stored) => void;
}

/**
 * Decides what the table says. It knows no network and no disk.
 */
export class TableWriter {
  readonly #config: PlacementConfig;
  readonly #now: () => number;
  readonly #notice: number;
  readonly #publish: (stored: Stored) => void;
  #table: PlacementTable;
  #keys: ReadonlyMap<string, KnownKey>;

  /** `stored`: what outlived the last writer; its table may be of another ring. */
  constructor(deps: TableWriterDeps, stored: Stored | undefined) {
    const { config, now, notice, publish } = deps;
    this.#config = config;
    this.#now = now;
    this.#notice = notice;
    this.#publish = publish;
    this.#keys = stored?.keys ?? new Map<string, KnownKey>();
    this.#table = stored?.table ?? this.#empty();
    if (this.#table.ringVersion !== config.version) this.#table = this.#moved(this.#table);
    if (this.#table.lookback !== config.lookbackMilliseconds) {
      this.#table = { ...this.#table, number: this.#nextNumber(), lookback: config.lookbackMilliseconds };
    }
    if (this.#table !== stored?.table) publish({ table: this.#table, keys: this.#keys });
  }

  get table(): PlacementTable {
    return this.#table;
  }

  /** Series of the last numbers that were believed. */
  get total(): number {
    return [...this.#keys.values()].reduce((sum, { series }) => sum + series, 0);
  }

  /** Plans by new numbers, which are believed. Undefined while the last change has not come into effect. */
  place(series: ReadonlyMap<string, number>): PlacementPlan | undefined {
    const now = this.#now();
    if (now < this.#table.effectiveAt) return undefined;
    this.#keys = knownKeys(this.#keys, series, now);
    const { shards, pins, homeShard } = this.#table;
    const recentlyMoved = this.#recentlyMoved(now);
    const plan = planPlacement({
      homeShard,
      shards,
      series: weights(this.#keys),
      previous: { shards, pins },
      recentlyMoved,
    });
    if (tableVersion({ ...this.#table, pins: plan.pins }) === tableVersion(this.#table)) {
      this.#publish({ table: this.#table, keys: this.#keys });
      return plan;
    }
    const effectiveAt = now + this.#notice;
    const moved = plan.moved.map((key): MovedKey => {
      const [owner] = shardOrder(this.#table, key, pins.get(key));
      return { key, shards: [owner?.index ?? homeShard], at: effectiveAt };
    });
    this.#change({ pins: plan.pins, effectiveAt, moved: [...this.#table.moved, ...moved] });
    return plan;
  }

  /** Takes what the exporters see. `isWhole`: every exporter answered. */
  observe(reports: readonly FailoverReport[], isWhole: boolean): void {
    const now = this.#now();
    const { shards, lookback, failed: known, previous } = this.#table;
    const failed = failedShards(
      known,
      reports.map((report) => report.failed),
      { shards: shards.map(({ index }) => index), now, lookback, isWhole },
    );
    const [newest, ...older] = previous;
    const isLeft = reports.every((report) => report.ringVersion === this.#config.version);
    const isOver = newest !== undefined && !isLeft && newest.until <= now;
    if (failed === known && !isOver) return;
    this.#change({ failed, ...(isOver ? { previous: [{ ...newest, until: now + leaving }, ...older] } : {}) });
  }

  #change(changes: Partial<PlacementTable>): void {
    const now = this.#now();
    const changed = { ...this.#table, ...changes };
    const since = now - 2 * changed.lookback;
    const table: PlacementTable = {
      ...changed,
      number: this.#nextNumber(),
      moved: changed.moved.filter(({ at }) => at > since).slice(-MAX_PLACED_KEYS),
      previous: changed.previous.filter(({ until }) => until > since),
    };
    // Where it can't be kept it is not published, and tried again at the next look.
    this.#publish({ table, keys: this.#keys });
    this.#table = table;
  }

  /** Goes up over restarts, and over the loss of the volume too, as long as the clock is not set back. */
  #nextNumber(): number {
    return Math.max(this.#table.number + 1, this.#now());
  }

  #empty(): PlacementTable {
    const { version, shardLabel, homeShard, shards, lookbackMilliseconds } = this.#config;
    const now = this.#now();
    return {
      number: now,
      ringVersion: version,
      shardLabel,
      homeShard,
      shards,
      pins: new Map(),
      effectiveAt: now,
      lookback: lookbackMilliseconds,
      moved: [],
      failed: [],
      previous: [],
    };
  }

  /** The table of the configured ring after one of another ring: exporters take it as they start. */
  #moved(old: PlacementTable): PlacementTable {
    const empty = this.#empty();
    const number = Math.max(old.number + 1, empty.number);
    // By another label the keys are other keys.
    if (old.shardLabel !== empty.shardLabel) return { ...empty, number };
    const { homeShard, shards } = empty;
    const previous = { shards: old.shards, pins: old.pins };
    const { pins } = planPlacement({ homeShard, shards, series: weights(this.#keys), previous });
    const before: PreviousRing = { ...previous, homeShard: old.homeShard, until: empty.effectiveAt };
    return {
      ...empty,
      number,
      pins,
      moved: old.moved,
      failed: old.failed,
      previous: [before, ...old.previous].slice(0, MAX_PREVIOUS),
    };
  }

  /** Keys that may still be seen on two shards. */
  #recentlyMoved(now: number): ReadonlySet<string> {
    const { moved, previous, lookback } = this.#table;
    const since = now - 2 * lookback;
    const recent = new Set(moved.filter(({ at }) => at > since).map(({ key }) => key));
    for (const ring of previous.filter(({ until }) => until > since)) {
      for (const key of this.#keys.keys()) {
        if (recent.has(key)) continue;
        const [before] = shardOrder(ring, key, ring.pins.get(key));
        const [owner] = shardOrder(this.#table, key, this.#table.pins.get(key));
        if (before?.index !== owner?.index) recent.add(key);
      }
    }
    return recent;
  }
}

/** Keys that are seen, and those that were within the last hour. */
function knownKeys(
  known: ReadonlyMap<string, KnownKey>,
  series: ReadonlyMap<string, number>,
  now: number,
): ReadonlyMap<string, KnownKey> {
  const unseen = [...known].filter(([key, { seenAt }]) => !series.has(key) && now - seenAt < forgetAfter);
  return new Map([
    ...unseen
      .slice(0, Math.max(0, MAX_PLACED_KEYS - series.size))
      .map(([key, { seenAt }]) => [key, { series: 0, seenAt }] as const),
    ...[...series].map(([key, count]) => [key, { series: count, seenAt: now }] as const),
  ]);
}

function weights(keys: ReadonlyMap<string, KnownKey>): ReadonlyMap<string, number> {
  return new Map([...keys].map(([key, { series }]) => [key, series]));
}
