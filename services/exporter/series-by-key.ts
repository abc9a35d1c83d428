import { isKept, type SeriesReport } from "../../model/exporter-reports";
import { MAX_PLACED_KEYS } from "../../model/placement-table";
import { unescaped } from "./route";
import type { Samples } from "./samples";

/** What tests may replace. */
export interface SeriesByKeyLimits {
  /** Length of a period in milliseconds. */
  readonly period?: number;
  /** Hashes that a period keeps. */
  readonly hashes?: number;
  readonly keys?: number;
}

/** As long as an answer shows a series' last sample by default: what was not pushed for longer counts no more. */
const periodMilliseconds = 300_000;
/** 2 MB a period. Above it every second hash is dropped, then three of four, ... */
const mostHashes = 500_000;
/** One bit for each value of the upper 24 bits of a hash: 2 MB a period. */
const seenBits = 24;

/**
 * Counts the distinct series of each key: what the placement shares out. A gateway's series may come in one push or in
 * many, through one exporter or through several, so numbers can't be added up; hashes can be united.
 *
 * A series that was seen in this period costs one look at a bit. Only at its first time in a period is it hashed (a hash
 * that is the same in all exporters, unlike `seriesHash`) and kept under its key. Two series with the same bit count as
 * one: 0.3 % too few of 100,000, alike for all keys.
 */
export class SeriesByKey {
  readonly #now: () => number;
  readonly #period: number;
  readonly #hashes: number;
  readonly #keys: number;
  readonly #since: number;
  #current: Period;
  #previous: Period | undefined;

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number, limits: SeriesByKeyLimits = {}) {
    this.#now = now;
    this.#period = limits.period ?? periodMilliseconds;
    this.#hashes = limits.hashes ?? mostHashes;
    this.#keys = limits.keys ?? MAX_PLACED_KEYS;
    this.#since = now();
    this.#current = new Period(this.#since);
  }

  /** Counts the samples `chosen`. */
  count(samples: Samples, chosen: Uint32Array): void {
    this.#turn();
    const { seriesHash } = samples;
    const { seen } = this.#current;
    for (const at of chosen) {
      const slot = (seriesHash[at] ?? 0) >>> (32 - seenBits);
      const word = slot >>> 5;
      const bits = seen[word] ?? 0;
      const bit = 1 << (slot & 31);
      if ((bits & bit) !== 0) continue;
      seen[word] = bits | bit;
      this.#current.add(samples, at, this.#hashes, this.#keys);
    }
  }

  /** What was counted in this period and the one before. */
  report(shardLabel: string): SeriesReport {
    this.#turn();
    const periods = this.#previous === undefined ? [this.#current] : [this.#current, this.#previous];
    return {
      shardLabel,
      coveredMilliseconds: Math.max(0, this.#now() - this.#since),
      uncountedSeries: periods.reduce((sum, { uncounted }) => sum + uncounted, 0),
      periods: periods.map(({ level, keys }) => ({
        level,
        keys: new Map([...keys].map(([key, list]) => [key, list.values.subarray(0, list.count)])),
      })),
    };
  }

  #turn(): void {
    const now = this.#now();
    const age = now - this.#current.start;
    // A clock that was set back begins anew too.
    if (age >= 0 && age < this.#period) return;
    this.#previous = age >= 0 && age < 2 * this.#period ? this.#current : undefined;
    this.#current = new Period(now);
  }
}

interface HashList {
  values: Uint32Array;
  count: number;
}

class Period {
  readonly seen = new Uint32Array(2 ** (seenBits - 5));
  readonly keys = new Map<string, HashList>();
  level = 0;
  uncounted = 0;
  #total = 0;

  constructor(readonly start: number) {}

  add(samples: Samples, at: number, mostKept: number, mostKeys: number): void {
    const { text } = samples;
    const hash = commonHash(text, samples.start[at] ?? 0, samples.seriesEnd[at] ?? 0);
    if (!isKept(hash, this.level)) return;
    const key = unescaped(text.subarray(samples.keyStart[at] ?? 0, samples.keyEnd[at] ?? 0)).toString("utf8");
    let list = this.keys.get(key);
    if (list === undefined) {
      if (key !== "" && this.keys.size >= mostKeys) {
        this.uncounted += 1;
        return;
      }
      this.keys.set(key, (list = { values: new Uint32Array(8), count: 0 }));
    }
    if (list.count === list.values.length) {
      const longer = new Uint32Array(list.count * 2);
      longer.set(list.values);
      list.values = longer;
    }
    list.values[list.count] = hash;
    list.count += 1;
    this.#total += 1;
    if (this.#total > mostKept) this.#thinOut();
  }

  #thinOut(): void {
    this.level += 1;
    this.#total = 0;
    for (const list of this.keys.values()) {
      const kept = list.values.subarray(0, list.count).filter((hash) => isKept(hash, this.level));
      list.count = kept.length;
      list.values = kept.length === 0 ? new Uint32Array(8) : kept;
      this.#total += kept.length;
    }
  }
}

/** FNV-1a with murmur3's last step: 32 bits that are the same in every process. */
function commonHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
