import { setTimeout as sleep } from "node:timers/promises";
import type { AdapterConfig } from "../../model/adapter-config";
import { log, messageOf } from "../plumbing/log";
import { compareBatches, firstBatch, merged, type BatchWindows } from "./gaps";
import { ReplicaProbe, type Facts } from "./replica";
import type { Interval, ReplicaView, ShardView } from "./route";

/** Milliseconds between readiness probes, between looks at what is new on the disks, and at all that is on them. */
const probeInterval = 2_000;
const recentInterval = 15_000;
const historyInterval = 600_000;
/** Milliseconds that the first queries wait for the first look. */
const firstPatience = 5_000;
/** Probes that must time out one after another; one that is refused is enough. */
const timeoutsUntilDown = 2;

/** Recent push batches are compared in windows of this many seconds, over this many milliseconds. */
const recentWindow = 60;
const recentSpan = 3 * 3_600_000;
/** Windows of the history: at least this many seconds, and no more than this many of them. */
const historyWindow = 300;
const historyWindows = 5_000;

const nothingKnown: Facts = { lowest: undefined, blocks: undefined, series: undefined };

/** What has been seen of one replica. */
class WatchedReplica {
  isUp = false;
  facts = nothingKnown;
  labelledFrom = Infinity;
  recent: BatchWindows = new Map();
  history: BatchWindows = new Map();
  recentAt = -Infinity;
  historyAt = -Infinity;
  /** When it last answered a probe, and since when it was then up. */
  seenAt: number | undefined;
  /** It was away: nobody knows yet what it missed. */
  suspect: Interval | undefined;
  timeouts = 0;
  /** Is being looked at right now. */
  isExamined = false;
  /** Aborted when the replica goes down: queries under way go to the other one. */
  life = new AbortController();

  constructor(
    readonly name: string,
    readonly probe: ReplicaProbe | undefined,
  ) {}
}

/** Keeps an eye on the replicas of the shard. */
export class ShardWatch {
  readonly #replicas: readonly WatchedReplica[];
  readonly #stop = new AbortController();
  readonly #first: Promise<unknown>;
  #gaps: ReadonlyMap<string, readonly Interval[]> = new Map();
  #sticky: string | undefined;
  #isKnown = false;

  constructor(
    readonly config: AdapterConfig,
    readonly now: () => number = Date.now,
  ) {
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
    return {
      now: this.now(),
      retention: this.config.retentionSeconds * 1000,
      hasBucket: this.config.hasBucket,
      sticky: this.#sticky,
      replicas: this.#replicas.map((replica): ReplicaView => {
        const { name, probe, isUp, labelledFrom, facts, suspect } = replica;
        const gaps = [...(this.#gaps.get(name) ?? []), ...(suspect === undefined ? [] : [suspect])];
        const { lowest, blocks } = facts;
        return { name, isAskable: probe !== undefined, isUp, gaps, labelledFrom, lowest, blocks };
      }),
    };
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

  /** Looks at one replica once. */
  async look(name: string): Promise<void> {
    const replica = this.#replica(name);
    const { probe } = replica;
    if (probe === undefined) return;
    try {
      await probe.ready();
      replica.timeouts = 0;
      if (!replica.isUp) await this.#comeBack(replica, probe);
      else if (!replica.isExamined) void this.#lookCloser(replica, probe);
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
    replica.life = new AbortController();
    log("info", "replica is up", { shard: this.config.shard, replica: replica.name });
  }

  /** Apart from the probes: a server that is busy with queries may be slow to tell about itself, and is up all the same. */
  async #lookCloser(replica: WatchedReplica, probe: ReplicaProbe): Promise<void> {
    replica.isExamined = true;
    try {
      await this.#examine(replica, probe, false);
      this.#compare();
    } catch (error) {
      log("warn", "replica not examined", { shard: this.config.shard, replica: replica.name, error: messageOf(error) });
    } finally {
      replica.isExamined = false;
    }
  }

  async #examine(replica: WatchedReplica, probe: ReplicaProbe, inFull: boolean): Promise<void> {
    const now = this.now();
    if (inFull || now - replica.recentAt >= recentInterval) {
      replica.facts = await probe.facts();
      replica.labelledFrom = await probe.labelledFrom(now);
      if (this.#isPair()) replica.recent = await probe.batches(now - recentSpan, now, recentWindow);
      replica.recentAt = now;
    }
    if (this.#isPair() && (inFull || now - replica.historyAt >= historyInterval)) {
      const span = this.config.retentionSeconds * 1000;
      replica.history = await probe.batches(now - span, now - recentSpan / 2, this.#historyWindow());
      replica.historyAt = now;
    }
  }

  #missed(replica: WatchedReplica, reason: string): void {
    // A busy server may be late once; one that refuses is down.
    if (/no answer within|timeout|aborted/i.test(reason) && ++replica.timeouts < timeoutsUntilDown) return;
    if (!replica.isUp) return;
    replica.isUp = false;
    replica.life.abort(new Error(`replica ${replica.name} is down`));
    if (this.#sticky === replica.name) this.#sticky = undefined;
    log("warn", "replica is down", { shard: this.config.shard, replica: replica.name, reason });
  }

  /** Compares what both replicas hold, up to where both have been looked at and pushes have settled. */
  #compare(): void {
    const [one, other] = this.#replicas;
    if (!this.#isPair() || one === undefined || other === undefined) return;
    const settled = Math.min(one.recentAt, other.recentAt) - this.config.settleSeconds * 1000;
    // Before both have been looked at, nothing can be compared: neither is known to have a gap.
    if (settled === -Infinity) return;
    const [recent, history] = [recentWindow * 1000, this.#historyWindow() * 1000];
    const span = this.config.retentionSeconds * 1000;
    // Only windows that both have been asked for.
    const windows = [
      {
        window: recent,
        from: Math.max(one.recentAt, other.recentAt) - recentSpan + recent,
        to: settled,
        of: [one.recent, other.recent] as const,
      },
      {
        window: history,
        from: Math.max(one.historyAt, other.historyAt) - span + history,
        to: Math.min(settled, Math.min(one.historyAt, other.historyAt) - recentSpan / 2 - history),
        of: [one.history, other.history] as const,
      },
    ].map(({ window, from, to, of }) => ({
      window,
      of: [between(of[0], from, to), between(of[1], from, to)] as const,
    }));
    const found = windows.map(({ window, of }) => compareBatches(of[0], of[1], window));
    const uncompared = this.#uncompared(one, other, windows);
    [one, other].forEach((replica, at) => {
      if (replica.suspect !== undefined && replica.suspect.to <= settled) replica.suspect = undefined;
      const gaps = merged([...uncompared, ...found.flatMap((each) => each[at === 0 ? 0 : 1])]);
      this.#gaps = new Map([...this.#gaps, [replica.name, gaps]]);
    });
  }

  /** Samples that are older than the first push batch: which replica has which of them can't be told. */
  #uncompared(
    one: WatchedReplica,
    other: WatchedReplica,
    windows: readonly { readonly window: number; readonly of: readonly BatchWindows[] }[],
  ): readonly Interval[] {
    const lowest = Math.min(one.facts.lowest ?? -Infinity, other.facts.lowest ?? -Infinity);
    const first = Math.min(...windows.map(({ window, of }) => firstBatch(of, window)));
    return lowest + this.config.settleSeconds * 1000 < first ? [{ from: -Infinity, to: first }] : [];
  }

  #historyWindow(): number {
    const least = this.config.retentionSeconds / historyWindows;
    return Math.max(1, Math.ceil(least / historyWindow)) * historyWindow;
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

/** Windows that ended between two times. */
function between(windows: BatchWindows, from: number, to: number): BatchWindows {
  return new Map(
    [...windows].map(
      ([key, series]) => [key, new Map([...series].filter(([end]) => end >= from && end <= to))] as const,
    ),
  );
}
