/**
 * The value of a series at a time: a pure function of (seed, series, timestamp), where the seed is already part of the
 * series' hash. Nothing is remembered between calls, so the ledger can make every value again.
 */

import type { Series } from "./fleet";
import { histogramBounds } from "./families";
import { unitOf } from "./random";

const minute = 60_000;

/** Where a counter stands between two resets. */
export interface CounterEpoch {
  /** Number of the epoch since 1970. */
  readonly epoch: number;
  /** Milliseconds since the counter was last reset. */
  readonly elapsed: number;
}

/**
 * Counters start again from 0: one in twenty every 7 to 20 minutes, so that short runs see resets too; the others
 * every 6 to 48 hours.
 */
export function counterEpoch(hash: number, timestamp: number): CounterEpoch {
  const share = unitOf(hash, 11);
  const period =
    unitOf(hash, 10) < 0.05 ? Math.round((7 + 13 * share) * minute) : Math.round((360 + 2_520 * share) * minute);
  const shifted = timestamp + Math.floor(unitOf(hash, 12) * period);
  const epoch = Math.floor(shifted / period);
  return { epoch, elapsed: shifted - epoch * period };
}

/** A monotone integer from 0: linear growth plus a wave whose slope never turns negative. */
function growth(hash: number, part: number, epoch: number, elapsed: number, perSecond: number): number {
  const rate = perSecond * (0.5 + unitOf(hash, part, epoch));
  const period = (3 + 9 * unitOf(hash, part, 21)) * minute;
  const turn = (2 * Math.PI) / period;
  return Math.floor((rate / 1_000) * (elapsed - (0.8 * Math.sin(turn * elapsed)) / turn));
}

function counterValue(hash: number, timestamp: number): number {
  const { epoch, elapsed } = counterEpoch(hash, timestamp);
  return growth(hash, 1, epoch, elapsed, 10 ** (-1 + 4 * unitOf(hash, 13)));
}

function gaugeValue(hash: number, timestamp: number): number {
  const base = 10 ** (3 * unitOf(hash, 14)) * (unitOf(hash, 15) < 0.1 ? -1 : 1);
  const period = (5 + 115 * unitOf(hash, 16)) * minute;
  const wave = Math.sin((2 * Math.PI * (timestamp % period)) / period);
  const noise = unitOf(hash, Math.floor(timestamp / 1_000), Math.floor(timestamp / 4.294967296e12)) - 0.5;
  return Math.round(base * (1 + 0.4 * wave + 0.2 * noise) * 1_000) / 1_000;
}

/** Observations of each bucket (not cumulative) since the reset; the last is the one above every bound. */
function bucketCounts(hash: number, timestamp: number): readonly number[] {
  const { epoch, elapsed } = counterEpoch(hash, timestamp);
  const centre = 2 + unitOf(hash, 17) * (histogramBounds.length - 4);
  return Array.from({ length: histogramBounds.length + 1 }, (_, bucket) =>
    growth(hash, 100 + bucket, epoch, elapsed, 5 * Math.exp(-((bucket - centre) ** 2) / 4)),
  );
}

function histogramSum(counts: readonly number[]): number {
  let sum = 0;
  for (const [bucket, count] of counts.entries()) {
    const upper = histogramBounds[bucket] ?? 10;
    const lower = bucket === 0 ? 0 : (histogramBounds[bucket - 1] ?? 0);
    sum += (count * (lower + upper)) / 2;
  }
  return Math.round(sum * 1e6) / 1e6;
}

/** The value of `series` at `timestamp` (milliseconds since 1970). */
export function valueAt(series: Series, timestamp: number): number {
  const { kind, hash } = series;
  switch (kind.type) {
    case "gauge":
      return gaugeValue(hash, timestamp);
    case "counter":
      return counterValue(hash, timestamp);
    case "histogram": {
      const counts = bucketCounts(hash, timestamp);
      if (kind.part === "sum") return histogramSum(counts);
      const last = kind.part === "bucket" ? kind.bucket : counts.length - 1;
      let total = 0;
      for (let bucket = 0; bucket <= last; bucket++) total += counts[bucket] ?? 0;
      return total;
    }
  }
}
