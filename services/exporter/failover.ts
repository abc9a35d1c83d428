import { bodyOf } from "./batch";
import type { ExporterMetrics } from "./exporter-metrics";
import type { Marking, Placing } from "./marking";
import { Outages } from "./outages";
import { Rejections } from "./rejections";
import type { Order, Route, Router } from "./route";
import type { Samples } from "./samples";
import type { ShardWriter } from "./shard-writer";

/** What became of the samples of one push. */
export interface Placement {
  /** Samples that no shard took; the client must send the whole push again, with the same timestamps. */
  readonly unplaced: number;
  /** Why the last shard of each unplaced sample did not take it. */
  readonly failures: readonly string[];
  /** Samples that a hub refused as bad. Every line was checked before, so this means the hub is no edge hub 1.1.0. */
  readonly rejections: Rejections;
}

interface Round {
  readonly samples: Samples;
  /** Positions of the shards that failed for this push. */
  readonly failed: Set<number>;
  readonly failures: Set<string>;
  readonly rejections: Rejections;
  readonly deadline: number;
  unplaced: number;
}

/** Samples of a push that go to the same shard. */
interface Group {
  readonly position: number;
  readonly members: Uint32Array;
  readonly spans: ReadonlyMap<Route, Placing>;
}

/** What became of one key's samples so far, while they are sorted by shard. */
interface Target extends Placing {
  readonly position: number;
  /** Shards that come before and are passed over, untried. */
  readonly passed: Order;
}

/** What a failover works with. */
export interface FailoverDeps {
  readonly shards: readonly ShardWriter[];
  readonly router: Router;
  readonly marking: Marking;
  readonly metrics: ExporterMetrics;
  /** Milliseconds after which no further shard is tried for a push. */
  readonly budget: number;
  /** Whether others have found a shard down, so that all pass over it; default: nobody has. */
  readonly isFailed?: (position: number) => boolean;
  /** Milliseconds for which a sample is visible. */
  readonly lookback: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Brings each sample to the first shard of its key's own order that takes it. */
export class Failover {
  readonly #shards: readonly ShardWriter[];
  readonly #router: Router;
  readonly #marking: Marking;
  readonly #metrics: ExporterMetrics;
  readonly #budget: number;
  readonly #isFailed: (position: number) => boolean;
  readonly #outages: Outages;

  constructor({ shards, router, marking, metrics, budget, isFailed, lookback, now }: FailoverDeps) {
    this.#shards = shards;
    this.#router = router;
    this.#marking = marking;
    this.#metrics = metrics;
    this.#budget = budget;
    this.#isFailed = isFailed ?? (() => false);
    this.#outages = new Outages(lookback, now);
  }

  /** Stores the samples `chosen` (ascending indexes). Never rejects. */
  async store(samples: Samples, chosen: Uint32Array): Promise<Placement> {
    const round: Round = {
      samples,
      failed: new Set(),
      failures: new Set(),
      rejections: new Rejections(),
      deadline: Date.now() + this.#budget,
      unplaced: 0,
    };
    await this.#place(round, chosen);
    if (round.unplaced > 0) this.#metrics.unplacedSamples.add(round.unplaced);
    return { unplaced: round.unplaced, failures: [...round.failures], rejections: round.rejections };
  }

  async #place(round: Round, chosen: Uint32Array): Promise<void> {
    const groups = this.#grouped(round, chosen);
    await Promise.all(groups.map((group) => this.#placeGroup(round, group)));
  }

  async #placeGroup(round: Round, { position, members, spans }: Group): Promise<void> {
    const shard = this.#shards[position];
    if (shard === undefined || Date.now() >= round.deadline) {
      round.unplaced += members.length;
      return;
    }
    const outcome = await shard.push(bodyOf(round.samples, members), members.length);
    switch (outcome.kind) {
      case "stored":
        this.#marking.stored(round.samples, members, spans, position);
        return;
      case "bad-payload": {
        const refused = new Rejections();
        const reason = `refused by the hub of ${shard.name}: ${outcome.detail}`;
        for (const at of members) refused.add("hub", round.samples.line[at] ?? 0, () => reason);
        round.rejections.merge(refused);
        return;
      }
      case "busy":
        round.unplaced += members.length;
        round.failures.add(`${shard.name}: ${outcome.detail}`);
        return;
      case "failed":
        if (outcome.mayHold) this.#marking.maybeStored(spans, position);
        round.failed.add(position);
        round.failures.add(`${shard.name}: ${outcome.detail}`);
        if (round.failed.size < this.#shards.length) {
          this.#metrics.failoverSamples.add(members.length, { target_shard: shard.name });
        }
        await this.#place(round, members);
    }
  }

  /** Samples by the shard to try next; position -1 gathers those with no shard left. */
  #grouped(round: Round, chosen: Uint32Array): readonly Group[] {
    const { samples, failed } = round;
    const ownOpen = this.#shards.map((shard) => shard.isOpen);
    const open = ownOpen.map((isOpen, position) => isOpen || this.#isFailed(position));
    const recent = this.#outages.recent(open.map((isOpen, position) => isOpen || failed.has(position)));
    const targets = new Map<Route, Target>();
    const target = new Int16Array(chosen.length);
    const counts = new Map<number, number>();
    const passed = this.#shards.map(() => 0);
    // What comes here again was counted at its first time.
    const counted = failed.size === 0 && open.includes(true);
    for (let at = 0; at < chosen.length; at += 1) {
      const sample = chosen[at] ?? 0;
      const route = this.#router.routeOf(samples, sample);
      const timestamp = samples.timestamp[sample] ?? 0;
      let known = targets.get(route);
      if (known === undefined) {
        const first = choose(route.order, failed, open, ownOpen);
        const left = recent.size === 0 ? none : leftBy(route.order, first.position, recent);
        known = { ...first, left, oldest: timestamp, newest: timestamp };
        targets.set(route, known);
      } else if (timestamp > known.newest) known.newest = timestamp;
      else if (timestamp < known.oldest) known.oldest = timestamp;
      target[at] = known.position;
      if (counted) for (const position of known.passed) passed[position] = (passed[position] ?? 0) + 1;
      counts.set(known.position, (counts.get(known.position) ?? 0) + 1);
    }
    passed.forEach((count, position) => {
      const shard = this.#shards[position];
      if (shard !== undefined && count > 0) this.#metrics.failoverSamples.add(count, { target_shard: shard.name });
    });
    return [...counts].map(([position, count]) => {
      const spans =
        counts.size === 1 ? targets : new Map([...targets].filter(([, each]) => each.position === position));
      const members = counts.size === 1 ? chosen : new Uint32Array(count);
      if (members !== chosen) {
        let filled = 0;
        for (let at = 0; at < chosen.length; at += 1) {
          if (target[at] !== position) continue;
          members[filled] = chosen[at] ?? 0;
          filled += 1;
        }
      }
      return { position, members, spans };
    });
  }
}

const none: Order = [];

/** Shards before the chosen one in a key's order that have gone down within a lookback: others may have stored the key there. */
function leftBy(order: Order, position: number, recent: ReadonlySet<number>): Order {
  const at = order.indexOf(position);
  return at <= 0 ? none : order.slice(0, at).filter((each) => recent.has(each));
}

/**
 * First shard of the order that has not failed and that nobody leaves alone; if there is none, the first that this exporter
 * does not, where others say that all are down; else the first that has not failed.
 */
function choose(
  order: Order,
  failed: ReadonlySet<number>,
  open: readonly boolean[],
  ownOpen: readonly boolean[],
): Pick<Target, "position" | "passed"> {
  const untried = order.filter((position) => !failed.has(position));
  const best = untried.findIndex((position) => open[position] !== true);
  const at = best >= 0 ? best : untried.findIndex((position) => ownOpen[position] !== true);
  return at < 0
    ? { position: untried[0] ?? -1, passed: none }
    : { position: untried[at] ?? -1, passed: untried.slice(0, at) };
}
