/**
 * Who pushes what: Magma's fleet as a pure function of its options. 347 gateways with 65 to 830 series each
 * (log-normal, about 298 on average) and 1,500 series of no gateway make about 105,000 series.
 */

import { counterFamilies, gaugeFamilies, histogramBounds, histogramFamilies } from "./families";
import { hashOf, normalQuantile, permutation, unitOf } from "./random";

/** What a fleet is made from; stored in the ledger's header, so that the same fleet can be made again. */
export interface FleetOptions {
  /** Decides sizes' order, phases and every value. */
  readonly seed: number;
  /** Number of gateways; Magma's production had about 347. */
  readonly gateways: number;
  /** Mean number of series per gateway. */
  readonly meanSeries: number;
  /** Series that belong to no gateway (the cloud's own). */
  readonly unassignedSeries: number;
  /** Share of a gateway's series, 0 to 0.9, that are replaced by new ones (label `session`) every `churnSeconds`. */
  readonly churn: number;
  /** Seconds that a session lasts; each gateway has a phase of its own. */
  readonly churnSeconds: number;
}

/** Source: production figures of Magma (about 347 gateways, about 105k series, about 1.5k of them of no gateway). */
export const defaultFleet: FleetOptions = {
  seed: 1,
  gateways: 347,
  meanSeries: 298.3,
  unassignedSeries: 1_500,
  churn: 0,
  churnSeconds: 600,
};

/** Fewest and most series of one gateway. */
export const gatewaySeriesBounds = { minimum: 65, maximum: 830 } as const;

const sigma = 0.5;

/** What a series is, as far as its value is concerned. */
export type SeriesKind =
  | { readonly type: "gauge" | "counter" }
  | { readonly type: "histogram"; readonly part: "bucket"; readonly bucket: number }
  | { readonly type: "histogram"; readonly part: "sum" | "count" };

/** One series as it is pushed, without the labels that the pipeline adds. */
export interface Series {
  readonly name: string;
  /** Family for the TYPE line: the name without `_bucket`, `_sum`, `_count`. */
  readonly family: string;
  /** `name{label="value",...}` with sorted labels: unique, and what a line of the body starts with. */
  readonly key: string;
  readonly kind: SeriesKind;
  /** Decides the value together with the timestamp; the parts of one histogram share it. */
  readonly hash: number;
}

/** One pusher: a gateway, or the cloud (`id` is ""). */
export interface Gateway {
  readonly index: number;
  /** Value of label `gatewayID`; "" for the series of no gateway. */
  readonly id: string;
  readonly network: string;
  readonly size: number;
}

/** A fleet: its pushers, and the series of one of them at a time. */
export interface Fleet {
  readonly options: FleetOptions;
  readonly run: string;
  /** All gateways and, last, the pusher without a gateway. */
  readonly gateways: readonly Gateway[];
  /** Series that `gateway` pushes at `timestamp` (ms), families contiguous. */
  seriesAt(gateway: Gateway, timestamp: number): readonly Series[];
}

const clampSize = (size: number): number =>
  Math.min(gatewaySeriesBounds.maximum, Math.max(gatewaySeriesBounds.minimum, Math.round(size)));

/**
 * Sizes by stratified quantiles instead of random draws: every seed gives the same multiset, so the total doesn't
 * depend on luck. The median is found by bisection, so that the mean survives the clamping.
 */
export function gatewaySizes(options: FleetOptions): readonly number[] {
  const { gateways, meanSeries, seed } = options;
  const sizesFor = (median: number): readonly number[] =>
    Array.from({ length: gateways }, (_, index) =>
      clampSize(median * Math.exp(sigma * normalQuantile((index + 0.5) / gateways))),
    );
  let low = 1;
  let high = 2_000;
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    const total = sizesFor(middle).reduce((sum, size) => sum + size, 0);
    if (total < meanSeries * gateways) low = middle;
    else high = middle;
  }
  const sizes = sizesFor(high);
  return permutation(seed, gateways).map((position) => sizes[position] ?? gatewaySeriesBounds.minimum);
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .filter(([, value]) => value !== "")
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.join(",")}}`;
}

interface Slot {
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly type: "gauge" | "counter" | "histogram";
  readonly hash: number;
}

function seriesOfSlot(slot: Slot): readonly Series[] {
  const { family, labels, type, hash } = slot;
  if (type !== "histogram") return [{ name: family, family, key: keyOf(family, labels), kind: { type }, hash }];
  const buckets = [...histogramBounds, Infinity].map((bound, bucket): Series => {
    const name = `${family}_bucket`;
    const le = bound === Infinity ? "+Inf" : String(bound);
    return { name, family, key: keyOf(name, { ...labels, le }), kind: { type, part: "bucket", bucket }, hash };
  });
  const rest = (["sum", "count"] as const).map((part): Series => {
    const name = `${family}_${part}`;
    return { name, family, key: keyOf(name, labels), kind: { type, part }, hash };
  });
  return [...buckets, ...rest];
}

const seriesPerHistogram = histogramBounds.length + 3;

/** About a quarter of a pusher's series are parts of histograms, the rest counters and gauges, 3 to 2. */
function slotsOf(fleet: FleetOptions, run: string, gateway: Gateway, epoch: number): readonly Slot[] {
  const { seed, churn } = fleet;
  const base =
    gateway.id === ""
      ? { feed_run: run, cloudHost: "cloud-01" }
      : { feed_run: run, networkID: gateway.network, gatewayID: gateway.id };
  const histograms = Math.max(gateway.size >= 2 * seriesPerHistogram ? 1 : 0, Math.floor((gateway.size * 0.25) / 13));
  const singles = gateway.size - histograms * seriesPerHistogram;
  const counters = Math.ceil(singles * 0.6);
  const slots: Slot[] = [];
  const add = (type: Slot["type"], families: readonly (readonly [string, string])[], count: number): void => {
    const churning = type === "histogram" ? 0 : Math.floor(count * churn);
    for (let familyIndex = 0; familyIndex < families.length; familyIndex++) {
      const [service, family] = families[familyIndex] ?? ["", ""];
      for (let position = familyIndex; position < count; position += families.length) {
        const instance = Math.floor(position / families.length);
        const session = position >= count - churning ? epoch : -1;
        const labels = {
          ...base,
          service,
          ...(gateway.id === ""
            ? cloudLabels(instance)
            : { enodebID: instance === 0 ? "" : `enb-${String(instance)}` }),
          ...(session < 0 ? {} : { session: String(session) }),
        };
        const typeNumber = { gauge: 1, counter: 2, histogram: 3 }[type];
        slots.push({ family, labels, type, hash: hashOf(seed, gateway.index, typeNumber, position, session) });
      }
    }
  };
  add("counter", counterFamilies, counters);
  add("gauge", gaugeFamilies, singles - counters);
  add("histogram", histogramFamilies, histograms);
  return slots;
}

/** The cloud's series carry pushed `job` and `instance` labels, which must come back unchanged. */
function cloudLabels(instance: number): Readonly<Record<string, string>> {
  return { job: "orchestrator", instance: `pod-${String(instance)}` };
}

/** Makes a fleet; `run` becomes label `feed_run` of every series. */
export function makeFleet(options: FleetOptions, run: string): Fleet {
  const sizes = gatewaySizes(options);
  const gateways = sizes.map((size, index): Gateway => ({
    index,
    id: `gw-${String(index + 1).padStart(4, "0")}`,
    network: `network-${String((index % 12) + 1).padStart(2, "0")}`,
    size,
  }));
  const cloud: Gateway = { index: options.gateways, id: "", network: "", size: options.unassignedSeries };
  const cache = new Map<number, { epoch: number; series: readonly Series[] }>();
  const seriesAt = (gateway: Gateway, timestamp: number): readonly Series[] => {
    const sessionMilliseconds = options.churnSeconds * 1_000;
    const phase = unitOf(options.seed, 0xc0ffee, gateway.index) * sessionMilliseconds;
    const epoch = options.churn === 0 ? 0 : Math.floor((timestamp + phase) / sessionMilliseconds);
    const cached = cache.get(gateway.index);
    if (cached?.epoch === epoch) return cached.series;
    const series = slotsOf(options, run, gateway, epoch).flatMap(seriesOfSlot);
    cache.set(gateway.index, { epoch, series });
    return series;
  };
  return { options, run, gateways: cloud.size > 0 ? [...gateways, cloud] : gateways, seriesAt };
}
