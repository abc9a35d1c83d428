import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdapterConfig } from "../../../../model/adapter-config";
import type { ShardView } from "../../../../services/adapter/route";
import { ShardWatch } from "../../../../services/adapter/shard-watch";
import { adapterConfig, FakePrometheus, holding } from "./fakes";
import { askedFor, batchesAt, minute, second } from "./watching";

let a: FakePrometheus;
let b: FakePrometheus;
let watch: ShardWatch;
let now: number;

beforeEach(async () => {
  now = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  [a, b] = await Promise.all([new FakePrometheus().start(), new FakePrometheus().start()]);
});
afterEach(async () => {
  watch.stop();
  await Promise.all([a.stop(), b.stop()]);
});

function started(change: Partial<AdapterConfig> = {}): ShardWatch {
  const replicas = [
    { name: "a", url: a.url },
    { name: "b", url: b.url },
  ];
  const config = adapterConfig({ replicas, leaf: "http://127.0.0.1:9", ...change });
  watch = new ShardWatch(config, () => now);
  return watch;
}

describe("watching a shard", () => {
  it("knows where a replica misses what the other has, and does not count what has not settled", async () => {
    const from = now - 30 * minute;
    a.batches = batchesAt((end) => end <= from || end > from + 5 * minute);
    // It lags by a scrape: not a gap yet.
    b.batches = batchesAt((end) => end <= now - minute);
    started();
    await watch.known();
    expect(askedFor(watch.view(), 60, 40)).toStrictEqual(["a", "b"]);
    expect(askedFor(watch.view(), 60, 0)).toStrictEqual(["b"]);
    expect(askedFor(watch.view(), 20, 0)).toStrictEqual(["a", "b"]);
  });

  it("asks nobody to answer alone for times before there were push batches, if there is anything older", async () => {
    const first = now - 90 * minute;
    for (const replica of [a, b]) replica.batches = batchesAt((end) => end > first);
    started();
    await watch.known();
    expect(askedFor(watch.view(), 80, 0)).toStrictEqual(["a", "b"]);
    expect(askedFor(watch.view(), 200, 0)).toStrictEqual([]);
    watch.stop();
    for (const replica of [a, b]) replica.facts = `prometheus_tsdb_lowest_timestamp_seconds ${String(first / 1000)}\n`;
    started();
    await watch.known();
    expect(askedFor(watch.view(), 200, 0)).toStrictEqual(["a", "b"]);
  });

  it("does not ask a replica that was away about that time until pushes have settled", async () => {
    started();
    await watch.known();
    b.isReady = false;
    await watch.look("b");
    expect(askedFor(watch.view(), 10, 0)).toStrictEqual(["a"]);
    const whole = b.batches;
    const away = now;
    // It has not been scraped since.
    b.batches = batchesAt((end) => end <= away);
    now += 3 * minute;
    b.isReady = true;
    await watch.look("b");
    expect(watch.view().replicas.map(({ isUp }) => isUp)).toStrictEqual([true, true]);
    now += second;
    await Promise.all([watch.look("a"), watch.look("b")]);
    await expect.poll(() => askedFor(watch.view(), 2, 0)).toStrictEqual(["a"]);
    expect(askedFor(watch.view(), 60, 20)).toStrictEqual(["a", "b"]);
    // Both are looked at again after it has settled.
    b.batches = whole;
    now += 5 * minute;
    const settled = async (): Promise<boolean> => {
      await Promise.all([watch.look("a"), watch.look("b")]);
      return askedFor(watch.view(), 6, 0).length === 2;
    };
    await expect.poll(settled, { timeout: 5_000 }).toBe(true);
  });

  it("ends queries under way when a replica goes down, and asks the other one from then on", async () => {
    started();
    await watch.known();
    watch.answered("a");
    const life = watch.lifeOf("a");
    await a.stop();
    await watch.look("a");
    expect(life.aborted).toBe(true);
    expect(watch.view()).toMatchObject({ sticky: undefined });
    expect(askedFor(watch.view(), 10, 0)).toStrictEqual(["b"]);
  });

  it("asks a replica once for all whose queries it failed", async () => {
    started();
    await watch.known();
    const looks = Array.from({ length: 20 }, () => watch.look("a"));
    expect(new Set(looks).size).toBe(1);
    await Promise.all(looks);
    expect(watch.look("a")).not.toBe(looks[0]);
  });

  it("finds since when all series carry the labels", async () => {
    a.hasUnlabelled = true;
    started({ replicas: [{ name: "a", url: a.url }] });
    await watch.known();
    expect(watch.view().replicas[0]?.labelledFrom).toBe(now);
    a.hasUnlabelled = false;
    now += minute;
    await watch.look("a");
    await expect.poll(() => watch.view().replicas[0]?.labelledFrom).toBe(-Infinity);
  });
});

describe("a write that one replica misses", () => {
  const interval = 15;
  const settle = 24;

  /** Writes each second for ten minutes, numbered; the hub of a replica loses some. A replica is scraped at its own moment. */
  class Pair {
    readonly begin = now;
    readonly lost = { a: new Set<number>(), b: new Set<number>() };
    readonly phase = { a: 0, b: 7 };
    /** Replicas that are not scraped from this second on. */
    readonly silentFrom = { a: Infinity, b: Infinity };

    /** What the replicas hold so many seconds after the begin, and what the watch makes of it at its next look. */
    async at(second: number): Promise<ShardView> {
      now = this.begin + second * 1000;
      for (const [name, replica] of [
        ["a", a],
        ["b", b],
      ] as const) {
        const until = Math.min(second, this.silentFrom[name]);
        const scraped = Math.floor((until - this.phase[name]) / interval) * interval + this.phase[name];
        const numbers = Array.from({ length: scraped + 600 }, (_, at) => at - 600)
          .filter((number) => !this.lost[name].has(number))
          .map((number) => [this.begin + number * 1000 + 300, number] as const);
        replica.batches = holding(numbers);
      }
      await Promise.all([watch.look("a"), watch.look("b")]);
      await looked(second, "a", "b");
      return watch.view();
    }
  }

  /** These have been asked about the newest pushes at this second. */
  async function looked(second: number, ...names: readonly string[]): Promise<void> {
    const asked = pair.begin + second * 1000;
    await expect.poll(() => names.map((name) => watch.lookedAt(name))).toStrictEqual(names.map(() => asked));
  }

  let pair: Pair;
  async function watched(change: Partial<AdapterConfig> = {}): Promise<void> {
    pair = new Pair();
    for (const replica of [a, b]) replica.batches = holding([]);
    started({ settleSeconds: settle, ...change });
    await watch.known();
    await pair.at(1);
  }

  it("is no gap while the replica has only not been scraped yet", async () => {
    await watched();
    for (let second = 2; second < 50; second++) {
      expect(askedFor(await pair.at(second), 1, 0)).toStrictEqual(["a", "b"]);
    }
  });

  it("is known at the first look after a scrape that brought a number written four seconds later", async () => {
    await watched();
    pair.lost.a.add(20);
    expect(askedFor(await pair.at(29), 1, 0)).toStrictEqual(["a", "b"]);
    // a has been scraped at second 30.
    expect(askedFor(await pair.at(30), 1, 0)).toStrictEqual(["b"]);
    // The exporter has sent it again.
    pair.lost.a.clear();
    expect(askedFor(await pair.at(46), 1, 0)).toStrictEqual(["a", "b"]);
  });

  it("is known after a scrape interval and a scrape at the latest, when nothing later came", async () => {
    await watched();
    pair.silentFrom.a = 16;
    for (const second of [20, 30, 39]) await pair.at(second);
    // Written from second 15 on, window to second 16.
    expect(askedFor(await pair.at(15 + settle), 1, 0)).toStrictEqual(["a", "b"]);
    expect(askedFor(await pair.at(16 + settle + 2), 1, 0)).toStrictEqual(["b"]);
  });

  it("may have brought samples that are older than itself, and some that are ahead of it", async () => {
    await watched({ maxAgeSeconds: 300, maxFutureSeconds: 5 });
    pair.lost.a.add(20);
    await pair.at(30);
    const asked = (from: number, to: number) => expect.poll(() => askedFor(watch.view(), from, to));
    // Longer windows are looked at apart.
    await asked(9, 5.3).toStrictEqual(["a", "b"]);
    // Made 8 to 10 s ago.
    await asked(5, 4).toStrictEqual(["b"]);
    await asked(0.1, 0).toStrictEqual(["b"]);
    await asked(0.03, 0).toStrictEqual(["a", "b"]);
  });

  it("stays known when the replica tells no more about itself, but is asked queries", async () => {
    await watched();
    pair.lost.a.add(20);
    await pair.at(30);
    for (const replica of [a, b]) replica.tellsFacts = false;
    let view = watch.view();
    for (let second = 60; second <= 600; second += 30) view = await pair.at(second);
    expect(askedFor(view, 10, 9)).not.toContain("a");
    // What both have been looked at is answered by either.
    expect(askedFor(view, 1, 0)).toStrictEqual(["a", "b"]);
  });

  it.each([["a"], ["a", "b"]] as const)(
    "may be there when nothing is heard of pushes any more from %j",
    async (...silent) => {
      await watched();
      expect(askedFor(await pair.at(30), 1, 0)).toStrictEqual(["a", "b"]);
      for (const name of silent) ({ a, b })[name].batches = () => ({ resultType: "matrix", result: "none" });
      now += 90 * second;
      await Promise.all([watch.look("a"), watch.look("b")]);
      await expect.poll(() => askedFor(watch.view(), 1, 0)).toStrictEqual([]);
    },
  );

  it("stays known while the replica that has it is down", async () => {
    await watched();
    pair.lost.a.add(20);
    expect(askedFor(await pair.at(30), 1, 0)).toStrictEqual(["b"]);
    b.isReady = false;
    pair.silentFrom.b = 31;
    for (const second of [32, 60, 300, 600]) {
      now = pair.begin + second * 1000;
      await Promise.all([watch.look("a"), watch.look("b")]);
      await looked(second, "a");
      expect(askedFor(watch.view(), second / 60, 0)).toStrictEqual([]);
    }
  });

  /** Replica a is away from second 40 to 60, and back with all that its hub kept, but for what was lost; then b goes. */
  async function updated(lost: readonly number[]): Promise<void> {
    await watched();
    await pair.at(38);
    for (const number of lost) pair.lost.a.add(number);
    a.isReady = false;
    for (const second of [40, 50]) {
      now = pair.begin + second * 1000;
      await Promise.all([watch.look("a"), watch.look("b")]);
    }
    a.isReady = true;
    pair.phase.a = 0;
    await pair.at(60);
    await pair.at(62);
    b.isReady = false;
    now = pair.begin + 64_000;
    await Promise.all([watch.look("a"), watch.look("b")]);
    await looked(64, "a");
  }

  it("is asked soon after it was away, when it has all that was written meanwhile: then the other one may go", async () => {
    await updated([]);
    await expect.poll(() => askedFor(watch.view(), 1, 0)).toStrictEqual(["a"]);
  });

  it("is not asked after it was away about what it lacks then", async () => {
    await updated([45]);
    expect(askedFor(watch.view(), 1, 0)).toStrictEqual([]);
    expect(askedFor(watch.view(), 0.1, 0)).toStrictEqual(["a"]);
  });
});

describe("a replica whose pair has been away since the adapter started", () => {
  const begin = () => now - 60 * minute;
  const first = 1_767_225_600_000_001;

  /** A write each ten seconds in the last hour, numbered from the first of its exporter; b has those that pass. */
  async function alone(isThere: (at: number) => boolean, from = first): Promise<ShardView> {
    const writes = Array.from({ length: 360 }, (_, at) => [begin() + at * 10 * second, from + at] as const);
    b.batches = holding(writes.filter((_, at) => isThere(at)));
    await a.stop();
    started();
    await watch.known();
    return watch.view();
  }

  it("is not asked about a time at which its numbers have a hole: only the other one may have the write", async () => {
    const view = await alone((at) => at !== 180);
    expect(askedFor(view, 50, 35)).toStrictEqual(["b"]);
    expect(askedFor(view, 35, 25)).toStrictEqual([]);
    expect(askedFor(view, 25, 0)).toStrictEqual(["b"]);
  });

  it("is not asked about the time before its numbers begin in the middle: its disk is younger than the pair", async () => {
    const view = await alone((at) => at >= 180);
    expect(askedFor(view, 50, 0)).toStrictEqual([]);
    expect(askedFor(view, 29, 0)).toStrictEqual(["b"]);
  });

  it("is asked when it has them all, and when its exporter was started again", async () => {
    expect(askedFor(await alone(() => true), 70, 0)).toStrictEqual(["b"]);
    watch.stop();
    const writes = Array.from({ length: 360 }, (_, at) => {
      return [begin() + at * 10 * second, at < 180 ? first + at : first + 5_000_000 + at - 180] as const;
    });
    b.batches = holding(writes);
    started();
    await watch.known();
    // The window in which it was started again can't be told from one with a hole.
    expect(askedFor(watch.view(), 50, 35)).toStrictEqual(["b"]);
    expect(askedFor(watch.view(), 25, 0)).toStrictEqual(["b"]);
  });

  it("does not count what its next scrape may still bring", async () => {
    const view = await alone((at) => at !== 355);
    expect(askedFor(view, 10, 0)).toStrictEqual(["b"]);
  });
});
