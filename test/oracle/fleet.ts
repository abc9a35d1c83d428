/** The data set of the generated queries: a small fleet with every kind of series that a query can meet. */
import {
  emptyHistogram,
  type Labels,
  type NativeHistogram,
  type Sample,
  type SampledSeries,
  type Value,
} from "./samples";

/** Seconds between pushes, and of the whole data set. */
export const interval = 60;
export const duration = 6 * 3600;
const gateways = 20;

/** Every tenth gateway moves to the next shard, once, after this many seconds. */
const movedAfter = 3.4 * 3600;
/** Milliseconds for which the old shard gets markers with each push. */
const lookback = 300_000;

/** Stretches in seconds after the start that a replica of shard 0 misses; what touches both comes from the leaf. */
export const missing = {
  a: [1500, 2400],
  b: [3900, 4800],
} as const;

/** A series of one shard. */
export interface PlacedSeries extends SampledSeries {
  readonly shard: number;
}

/** A number in [0, 1) that is the same for the same input. */
function noise(...seeds: readonly number[]): number {
  let hash = 2166136261;
  for (const seed of seeds) {
    hash = Math.imul(hash ^ seed, 16777619);
    hash ^= hash >>> 13;
  }
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Value at a tick; undefined: nothing was pushed. */
type Signal = (tick: number) => Value | undefined;

interface Metric {
  readonly name: string;
  /** Label sets of one gateway's series. */
  readonly labels: readonly Labels[];
  readonly signal: (gateway: number, series: number) => Signal;
}

const bounds = ["0.1", "1", "5", "+Inf"] as const;
const shares = [0.2, 0.7, 0.95, 1] as const;

function exponential(tick: number, factor: number): NativeHistogram {
  const n = Math.floor(tick % 150) * factor;
  const counts = [n, 3 * n, 2 * n, Math.floor(n / 2), n];
  const count = counts.reduce((sum, each) => sum + each, n);
  const positive = { offset: -1, counts };
  return { ...emptyHistogram, schema: 1, zeroThreshold: 0.001, zeroCount: n, count, sum: 4.5 * n + tick, positive };
}

function custom(tick: number, factor: number): NativeHistogram {
  const n = tick * factor;
  const counts = [n, 2 * n, 4 * n, n];
  return {
    ...emptyHistogram,
    schema: -53,
    zeroThreshold: 0,
    customValues: [100, 500, 1500],
    count: 8 * n,
    sum: 5000 * n,
    positive: { offset: 0, counts },
  };
}

function gauge(tick: number, factor: number): NativeHistogram {
  const counts = [1 + (tick % 7), factor, 2];
  const count = counts.reduce((sum, each) => sum + each, 4);
  return {
    ...emptyHistogram,
    schema: 0,
    count,
    sum: Math.cos(tick / 9) * factor,
    positive: { offset: 0, counts },
    negative: { offset: 1, counts: [3, 1] },
    resetHint: "gauge",
  };
}

const odd = [NaN, Infinity, -Infinity, 0, -1.5, 1e-9, 1e15];

const perGateway: readonly Metric[] = [
  { name: "enb_up", labels: [{}], signal: (gateway) => (tick) => (noise(gateway, tick >> 3) < 0.1 ? 0 : 1) },
  { name: "cpu", labels: [{}], signal: (gateway) => (tick) => 50 + 40 * Math.sin(tick / 10 + gateway) + gateway / 7 },
  { name: "mem", labels: [{}], signal: (gateway) => (tick) => 1e9 + 1e6 * Math.floor(1000 * noise(gateway, tick)) },
  { name: "ue_total", labels: [{}], signal: (gateway) => (tick) => ((tick % 170) * (gateway + 3)) / 2 },
  {
    name: "bytes_total",
    labels: [{ port: "s1" }, { port: "gy" }],
    signal: (gateway, series) => (tick) => 1000 * tick * (gateway + 1) + 17 * series * (tick % 13),
  },
  {
    name: "delay_bucket",
    labels: bounds.map((le) => ({ le })),
    signal: (gateway, series) => (tick) => Math.floor(tick * (gateway + 2) * (shares[series] ?? 1)),
  },
  { name: "delay_count", labels: [{}], signal: (gateway) => (tick) => tick * (gateway + 2) },
  { name: "delay_sum", labels: [{}], signal: (gateway) => (tick) => 0.9 * tick * (gateway + 2) },
  { name: "latency", labels: [{}], signal: (gateway) => (tick) => exponential(tick, gateway + 1) },
  { name: "size", labels: [{}], signal: (gateway) => (tick) => custom(tick, gateway + 1) },
  {
    name: "queue",
    labels: [{}],
    signal: (gateway) => (tick) => (gateway % 3 === 0 ? gauge(tick, gateway + 1) : undefined),
  },
  // First a float, later a histogram.
  {
    name: "mixed",
    labels: [{}],
    signal: (gateway) => (tick) =>
      gateway % 5 !== 0 ? undefined : tick % 120 < 60 ? tick + gateway : exponential(tick, gateway + 1),
  },
  // Histograms of two kinds, on different shards, which can't be added.
  {
    name: "split",
    labels: [{}],
    signal: (gateway) => (tick) => (gateway > 1 ? undefined : gateway === 0 ? exponential(tick, 2) : custom(tick, 2)),
  },
  // Of which the sum depends on the order.
  {
    name: "huge",
    labels: [{}],
    signal: (gateway) => () => (gateway > 1 ? 1 : gateway === 0 ? 1e100 : -1e100),
  },
  {
    name: "gateway_info",
    labels: [{ version: "?", model: "?" }],
    signal: () => () => 1,
  },
  {
    name: "flaky",
    labels: [{}],
    signal: (gateway) => (tick) => {
      const phase = (tick + 5 * gateway) % 40;
      if (phase < 25) return Math.floor(100 * noise(gateway, tick));
      return phase === 25 ? "stale" : undefined;
    },
  },
  { name: "odd", labels: [{}], signal: (gateway) => (tick) => odd[(tick + gateway) % odd.length] },
  {
    name: "link_up",
    labels: [{ replica: "r1" }, { replica: "r2" }],
    signal: (gateway, series) => (tick) => (noise(gateway, series, tick >> 2) < 0.2 ? 0 : 1),
  },
];

function labelled(labels: Labels, gateway: number): Labels {
  if (labels["version"] === undefined) return labels;
  return { version: `1.${String(gateway % 4)}`, model: gateway % 2 === 0 ? "x86" : "arm" };
}

/** What a gateway pushes of one series, split over the shards that held it. */
function placed(labels: Labels, signal: Signal, gateway: number, shards: number, start: number): PlacedSeries[] {
  const home = gateway % shards;
  const isMoved = gateway % 10 === 3;
  const phase = Math.floor(60_000 * noise(gateway, 77));
  const [before, after]: [Sample[], Sample[]] = [[], []];
  for (let tick = 0; tick * interval < duration; tick++) {
    const value = signal(tick);
    const time = start + tick * interval * 1000 + phase;
    if (value === undefined) continue;
    const late = time - start - movedAfter * 1000;
    if (!isMoved || late < 0) {
      before.push({ time, value });
      continue;
    }
    after.push({ time, value });
    // A staleness marker goes to the old shard with each push, for a lookback.
    if (late <= lookback) before.push({ time, value: "stale" });
  }
  return [
    { shard: home, samples: before },
    { shard: (home + 1) % shards, samples: after },
  ]
    .filter(({ samples }) => samples.length > 0)
    .map(({ shard, samples }) => ({ shard, samples, labels: { ...labels, cluster: "main", shard: String(shard) } }));
}

/**
 * Every series of the fleet on its shard.
 * @param start Milliseconds since the epoch.
 */
export function fleetSeries(shards: number, start: number): readonly PlacedSeries[] {
  const all: PlacedSeries[] = [];
  for (let gateway = 0; gateway < gateways; gateway++) {
    const id = { gatewayID: `g${String(gateway)}`, network: `n${String(gateway % 3)}` };
    for (const { name, labels, signal } of perGateway) {
      labels.forEach((more, at) => {
        const full = { __name__: name, ...id, ...labelled(more, gateway) };
        all.push(...placed(full, signal(gateway, at), gateway, shards, start));
      });
    }
  }
  // Without the key: on the home shard.
  const controller = (tick: number) => 5 + (tick % 11);
  all.push(...placed({ __name__: "sessions", instance: "c0" }, controller, 0, shards, start));
  return all;
}
