import { floatOf } from "./float-text";
import { samePiece } from "./hash";
import { Rejections } from "./rejections";
import type { Samples } from "./samples";

/** The time a sample may have. */
export interface Bounds {
  /** The exporter's clock, milliseconds since the epoch. */
  readonly now: number;
  /** Seconds. Design: 60, since one fast clock narrows everybody's window in Prometheus. */
  readonly maxFutureSeconds: number;
  /** Seconds. Design: the out-of-order window minus 5 minutes, and more at long scrape intervals. */
  readonly maxAgeSeconds: number;
}

/** What is to be stored: indexes into the columns of the push, in the order of the body. */
export interface Screened {
  readonly kept: Uint32Array;
  readonly rejections: Rejections;
}

/**
 * Takes out the samples that Prometheus' own remote-write receiver would refuse one by one: too far ahead, too old, and
 * those whose series already has another value at the same timestamp in this push. A sample that is there twice with the
 * same value is kept once and is not refused.
 */
export function screen(samples: Samples, bounds: Bounds): Screened {
  const latest = bounds.now + bounds.maxFutureSeconds * 1000;
  const earliest = bounds.now - bounds.maxAgeSeconds * 1000;
  const rejections = new Rejections();
  const kept = new Uint32Array(samples.count);
  const seen = new SeenSamples(samples);
  let count = 0;
  for (let at = 0; at < samples.count; at += 1) {
    const timestamp = samples.timestamp[at] ?? 0;
    if (timestamp > latest || timestamp < earliest) {
      const kind = timestamp > latest ? "future" : "old";
      rejections.add(kind, samples.line[at] ?? 0, () => outOfBounds(timestamp, bounds));
      continue;
    }
    const first = seen.firstWith(at);
    if (first === at) {
      kept[count] = at;
      count += 1;
    } else if (!sameValue(samples, first, at)) {
      rejections.add("conflict", samples.line[at] ?? 0, () => {
        const there = `timestamp ${String(timestamp)} in line ${String(samples.line[first])}`;
        return `the series has another value at ${there}`;
      });
    }
  }
  return { kept: kept.subarray(0, count), rejections };
}

function outOfBounds(timestamp: number, bounds: Bounds): string {
  const seconds = (Math.abs(timestamp - bounds.now) / 1000).toFixed(1);
  const [where, limit] = timestamp > bounds.now ? ["ahead", bounds.maxFutureSeconds] : ["old", bounds.maxAgeSeconds];
  return `timestamp ${String(timestamp)} is ${seconds} s ${where} (limit ${String(limit)} s)`;
}

/** Open-addressing hash table over the samples of one push: series and timestamp. */
class SeenSamples {
  readonly #samples: Samples;
  /** Index of a sample plus one; 0 is an empty slot. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  constructor(samples: Samples) {
    this.#samples = samples;
    // At most half full, so that runs of taken slots stay short.
    const size = 2 ** Math.ceil(Math.log2(samples.count * 2 + 2));
    this.#slots = new Uint32Array(size);
    this.#mask = size - 1;
  }

  /** The first sample with the series and timestamp of the sample `at`: `at` itself when it is the first. */
  firstWith(at: number): number {
    const { timestamp, seriesHash } = this.#samples;
    const time = timestamp[at] ?? 0;
    const hash = seriesHash[at] ?? 0;
    let slot = Math.imul(hash ^ Math.imul(time | 0, 0x9e3779b1), 0x85ebca6b) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    for (;;) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) {
        this.#slots[slot] = at + 1;
        return at;
      }
      const other = taken - 1;
      if (timestamp[other] === time && seriesHash[other] === hash && sameSeries(this.#samples, other, at)) return other;
      slot = (slot + 1) & this.#mask;
    }
  }
}

function sameSeries({ text, start, seriesEnd }: Samples, left: number, right: number): boolean {
  return samePiece(text, start[left] ?? 0, seriesEnd[left] ?? 0, text, start[right] ?? 0, seriesEnd[right] ?? 0);
}

/** Equal as the hub renders them: every NaN is one, and it writes both zeros as `0` (expfmt/text_create.go). */
function sameValue(samples: Samples, left: number, right: number): boolean {
  const first = floatOf(valueText(samples, left));
  const second = floatOf(valueText(samples, right));
  return first === second || (Number.isNaN(first) && Number.isNaN(second));
}

function valueText({ text, seriesEnd, end }: Samples, at: number): string {
  const [value = ""] = text.toString("latin1", (seriesEnd[at] ?? 0) + 1, end[at] ?? 0).split(" ");
  return value;
}
