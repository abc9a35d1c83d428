import { setTimeout as sleep } from "node:timers/promises";
import type { AdapterConfig } from "../../model/adapter-config";
import { log, messageOf } from "../plumbing/log";
import { Comparison, newestSpan, newestWindow, notLooked, recentWindow, type Looks } from "./comparison";
import { merged } from "./gaps";
import { ReplicaProbe } from "./replica";
import type { Interval, ReplicaView, ShardView } from "./route";
import { WatchedReplica } from "./watched-replica";

/** Milliseconds between readiness probes (with a look at the newest pushes), looks at recent ones, and at all. */
const probeInterval = 2_000;
const recentInterval = 15_000;
const historyInterval = 600_000;
/** Milliseconds between two looks at the history when the first has failed: it is the dearest question of all. */
const historyPause = 60_000;
/** After so many milliseconds without an answer about the newest pushes nothing is known of them. */
const newestStale = 60_000;
/** Milliseconds that the first queries wait for the first look. */
const firstPatience = 5_000;
/** Probes that must time out one after another; one that is refused is enough. */
const timeoutsUntilDown = 2;

/** Keeps an eye on the replicas of the shard. */
export class ShardWatch {
  readonly #replicas: readonly WatchedReplica[];
  readonly #stop = new AbortController();
  readonly #first: Promise<unknown>;
  readonly #comparison: Comparison;
  #gaps: ReadonlyMap<string, readonly Interval[]> = new Map();
  #sticky: string | undefined;
  #isKnown = false;

  constructor(
    readonly config: AdapterConfig,
    readonly now: () => number = Date.now,
  ) {
    this.#comparison = new Comparison(config.retentionSeconds * 1000, config.settleSeconds * 1000);
    this.#replicas = config.replicas.map(
      ({ name, url }) => new WatchedReplica(name, url === undefined ? undefined : new ReplicaProbe(url, config)),
    );
    this.#first = Promise.all(this.#replicas.map((replica) => this.look(replica.name)));
    for (const replica of this.#replicas) if (replica.probe !== undefined) void this.#watch(replica);
  }

  /** Resolves when every replica has been looked at once; one that hangs is not waited for. */
  async known(): Promise<void> {
    if (this.#isKnown) return;
    await Promise.race([this.#first, sleep(firstPatience)]);
    this.#isKnown = true;
  }

  view(): ShardView {
    const unknown = this.#unknown();
    return {
      now: this.now(),
      retention: this.config.retentionSeconds * 1000,
      hasBucket: this.config.hasBucket,
      sticky: this.#sticky,
      replicas: this.#replicas.map((replica): ReplicaView => {
        const { name, probe, isUp, labelledFrom, facts, suspect } = replica;
        const gaps = [...(this.#gaps.get(name) ?? []), ...(suspect === undefined ? [] : [suspect]), ...unknown];
        const { lowest, blocks } = facts;
        return {
          name,
          isAskable: probe !== undefined,
          isUp,
          gaps,
          away: this.#away(replica),
          labelledFrom,
          lowest,
          blocks,
        };
      }),
    };
  }

  /** When a replica's newest pushes were asked for last, milliseconds since the epoch; -Infinity: never. */
  lookedAt(name: string): number {
    return this.#replica(name).looks.newest.at;
  }

  /** Active series of a replica. */
  seriesOf(name: string): number | undefined {
    return this.#replica(name).facts.series;
  }

  urlOf(name: string): string {
    return this.#replica(name).probe?.url ?? "";
  }

  /** Aborted when the replica goes down. */
  lifeOf(name: string): AbortSignal {
    return this.#replica(name).life.signal;
  }

  answered(name: string): void {
    this.#sticky = name;
  }

  /** A replica failed a query: the next one goes to the other. */
  failed(name: string): void {
    if (this.#sticky === name || this.#sticky === undefined) {
      this.#sticky = this.#replicas.find((replica) => replica.name !== name)?.name;
    }
    void this.look(name);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Looks at one replica once; who asks while a look is under way shares it. */
  look(name: string): Promise<void> {
    const replica = this.#replica(name);
    const { probe } = replica;
    if (probe === undefined) return Promise.resolve();
    replica.look ??= this.#lookOnce(replica, probe).finally(() => (replica.look = undefined));
    return replica.look;
  }

  async #lookOnce(replica: WatchedReplica, probe: ReplicaProbe): Promise<void> {
    try {
      await probe.ready();
      replica.timeouts = 0;
      if (!replica.isUp) await this.#comeBack(replica, probe);
      else this.#lookCloser(replica, probe);
      replica.seenAt = this.now();
    } catch (error) {
      this.#missed(replica, messageOf(error));
    }
    this.#compare();
  }

  async #watch(replica: WatchedReplica): Promise<void> {
    const { signal } = this.#stop;
    await this.#first;
    while (!signal.aborted) {
      await this.look(replica.name);
      await sleep(probeInterval, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A replica that was away is looked at in full before it is asked anything. */
  async #comeBack(replica: WatchedReplica, probe: ReplicaProbe): Promise<void> {
    const { seenAt } = replica;
    const settle = this.config.settleSeconds * 1000;
    await this.#examine(replica, probe, true);
    if (seenAt !== undefined && this.#isPair()) replica.suspect = { from: seenAt - settle, to: this.now() };
    replica.isUp = true;
    replica.isAway = false;
    replica.life = new AbortController();
    log("info", "replica is up", { shard: this.config.shard, replica: replica.name });
  }

  #lookCloser(replica: WatchedReplica, probe: ReplicaProbe): void {
    if (this.#isPair()) void this.#apart(replica, "newest", () => this.#lookAtNewest(replica, probe));
    void this.#apart(replica, "rest", () => this.#examine(replica, probe, false));
  }

  /** Apart from the probes: a server that is busy with queries may be slow to tell about itself, and is up all the same. */
  async #apart(replica: WatchedReplica, what: string, work: () => Promise<void>): Promise<void> {
    if (replica.asking.has(what)) return;
    replica.asking.add(what);
    try {
      await work();
      this.#compare();
    } catch (error) {
      log("warn", "replica not examined", { shard: this.config.shard, replica: replica.name, error: messageOf(error) });
    } finally {
      replica.asking.delete(what);
    }
  }

  async #examine(replica: WatchedReplica, probe: ReplicaProbe, inFull: boolean): Promise<void> {
    const now = this.now();
    if (inFull || now - replica.examinedAt >= recentInterval) {
      replica.facts = await probe.facts();
      replica.labelledFrom = await probe.labelledFrom(now);
      if (this.#isPair()) {
        const end = this.#comparableUntil(replica, "recent", now);
        const recent = await probe.batches(now, end - this.#comparison.recentSpan, end, recentWindow);
        replica.looks = { ...replica.looks, recent };
      }
      replica.examinedAt = now;
    }
    const isHistoryDue =
      now - replica.looks.history.at >= historyInterval && now - replica.historyAskedAt >= historyPause;
    if (this.#isPair() && (inFull || isHistoryDue)) {
      replica.historyAskedAt = now;
      const span = this.config.retentionSeconds * 1000;
      const { historyWindow: window, recentSpan } = this.#comparison;
      const history = await probe.batches(now, now - span, now - recentSpan / 2 - window, window);
      replica.looks = { ...replica.looks, history };
    }
    if (this.#isPair() && inFull) await this.#lookAtNewest(replica, probe);
  }

  async #lookAtNewest(replica: WatchedReplica, probe: ReplicaProbe): Promise<void> {
    const now = this.now();
    const end = this.#comparableUntil(replica, "newest", now);
    const newest = await probe.batches(now, end - newestSpan(this.#comparison.settle), end, newestWindow);
    replica.looks = { ...replica.looks, newest };
  }

  /** While the other one is down nothing newer can be compared, and what it had then must not go out of sight. */
  #comparableUntil(replica: WatchedReplica, look: keyof Looks, now: number): number {
    const other = this.#replicas.find((each) => each !== replica);
    const { to } = other?.looks[look] ?? notLooked;
    return other === undefined || other.isUp || to === -Infinity ? now : to;
  }

  #missed(replica: WatchedReplica, reason: string): void {
    // A busy server may be late once; one that refuses is down.
    const isSlow = /no answer within|timeout|aborted/i.test(reason);
    if (isSlow && ++replica.timeouts < timeoutsUntilDown) return;
    if (!isSlow) replica.isAway = true;
    if (!replica.isUp) return;
    replica.isUp = false;
    replica.life.abort(new Error(`replica ${replica.name} is down`));
    if (this.#sticky === replica.name) this.#sticky = undefined;
    log("warn", "replica is down", { shard: this.config.shard, replica: replica.name, reason });
  }

  #away({ isAway, seenAt = -Infinity }: WatchedReplica): Interval | undefined {
    return isAway ? { from: seenAt - this.#comparison.settle, to: Infinity } : undefined;
  }

  /** Compares what both replicas hold, each up to where it has been looked at and pushes have settled. */
  #compare(): void {
    const [one, other] = this.#replicas;
    if (!this.#isPair() || one === undefined || other === undefined) return;
    const compared = this.#comparison.of(one.looks, other.looks);
    if (compared === undefined) {
      for (const each of [one, other]) this.#setGaps(each, [], this.#comparison.alone(each.looks));
      return;
    }
    const { settled, first, isTold } = compared;
    // Samples that are older than the first push batch: which replica has which of them can't be told.
    const lowest = Math.min(one.facts.lowest ?? -Infinity, other.facts.lowest ?? -Infinity);
    const isOlder = lowest + this.#comparison.settle < first;
    const uncompared: readonly Interval[] = isOlder ? [{ from: -Infinity, to: first }] : [];
    for (const [at, replica] of [[0, one] as const, [1, other] as const]) {
      const { suspect } = replica;
      if (suspect !== undefined && (suspect.to <= settled || isTold(at, suspect))) replica.suspect = undefined;
      this.#setGaps(replica, uncompared, compared.gaps[at]);
    }
  }

  /** What neither is known to have, while both are up and do not tell; while one is down, its looks stay as they are. */
  #unknown(): readonly Interval[] {
    if (!this.#isPair() || !this.#replicas.every(({ isUp }) => isUp)) return [];
    const toldAt = Math.min(...this.#replicas.map(({ looks }) => looks.newest.at));
    if (this.now() - toldAt <= newestStale) return [];
    return [this.#samplesOf({ from: toldAt - this.#comparison.settle, to: Infinity })];
  }

  /** @param writes When the writes were made that it lacks. */
  #setGaps({ name }: WatchedReplica, uncompared: readonly Interval[], writes: readonly Interval[]): void {
    const gaps = merged([...uncompared, ...writes.map((each) => this.#samplesOf(each))]);
    this.#gaps = new Map([...this.#gaps, [name, gaps]]);
  }

  /** Times of the samples that writes may have brought. */
  #samplesOf({ from, to }: Interval): Interval {
    const { maxAgeSeconds, maxFutureSeconds } = this.config;
    return { from: from - maxAgeSeconds * 1000, to: to + maxFutureSeconds * 1000 };
  }

  #isPair(): boolean {
    return this.#replicas.filter(({ probe }) => probe !== undefined).length === 2;
  }

  #replica(name: string): WatchedReplica {
    const replica = this.#replicas.find((each) => each.name === name);
    if (replica === undefined) throw new Error(`no replica ${name}`);
    return replica;
  }
}
