import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HubOutcome } from "../../../../services/exporter/hub-client";
import { Bench } from "./failover-bench";

const down: HubOutcome = { kind: "failed", failure: "refused", detail: "down" };
const full: HubOutcome = { kind: "failed", failure: "full", detail: "full" };
const bad: HubOutcome = { kind: "bad-payload", detail: "bad" };

function body(keys: readonly string[]): string {
  return keys.map((key, at) => `m${String(at)}{gatewayID="${key}"} 1 5\n`).join("");
}

const keys = Array.from({ length: 60 }, (_, at) => `g${String(at)}`);

describe("one replica", () => {
  it("stores each series on the first shard of its order", async () => {
    const bench = new Bench(4);
    expect(await bench.push(body(keys))).toMatchObject({ unplaced: 0, failures: [], rejections: { total: 0 } });
    keys.forEach((key, at) => {
      const [first] = bench.orderOf(key);
      expect(bench.linesOf(`http://hub-${String(first)}-a:1`)).toContain(`m${String(at)}{gatewayID="${key}"} 1 5`);
    });
    expect([...bench.taken.values()].flat()).toHaveLength(keys.length);
  });

  it.each([
    ["down", down],
    ["full", full],
  ])("gives the series of a shard that is %s to the next shard of each one's own order", async (_, mood) => {
    const bench = new Bench(4);
    bench.moods.set("http://hub-1-a:1", mood);
    expect(await bench.push(body(keys))).toMatchObject({ unplaced: 0, rejections: { total: 0 } });
    const takers = new Set<number | undefined>();
    keys.forEach((key, at) => {
      const order = bench.orderOf(key);
      const taker = order.find((index) => index !== 1);
      if (order[0] === 1) takers.add(taker);
      expect(bench.linesOf(`http://hub-${String(taker)}-a:1`)).toContain(`m${String(at)}{gatewayID="${key}"} 1 5`);
    });
    expect(takers.size).toBeGreaterThan(1);
    const moved = keys.filter((key) => bench.orderOf(key)[0] === 1).length;
    expect(bench.metrics.failoverSamples.value({ target_shard: "shard-1" })).toBe(moved);
  });

  it("places every sample exactly once whichever shards are down, as long as one is up", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 63 }), async (count, mask) => {
        const bench = new Bench(count);
        const downs = bench.config.shards.filter(({ index }) => (mask >> index) % 2 === 1);
        for (const shard of downs) bench.moods.set(shard.hubs[0]?.url ?? "", down);
        const { unplaced, failures } = await bench.push(body(keys));
        const lines = [...bench.taken.values()].flat();
        if (downs.length < count) {
          expect([unplaced, new Set(lines).size, lines.length]).toStrictEqual([0, keys.length, keys.length]);
        } else {
          expect([unplaced, lines.length]).toStrictEqual([keys.length, 0]);
          expect(failures).toHaveLength(count);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("never sends a bad payload elsewhere", async () => {
    const bench = new Bench(2);
    bench.moods.set("http://hub-0-a:1", bad);
    const { unplaced, rejections } = await bench.push(body(keys));
    const own = keys.filter((key) => bench.orderOf(key)[0] === 0).length;
    expect([unplaced, rejections.total]).toStrictEqual([0, own]);
    expect(rejections.listed[0]?.reason).toBe("refused by the hub of shard-0: bad");
    expect(bench.linesOf("http://hub-1-a:1")).toHaveLength(keys.length - own);
  });

  it("leaves a shard alone once it has failed twice, and asks it again when nobody else is left", async () => {
    const bench = new Bench(2);
    bench.moods.set("http://hub-0-a:1", down);
    await bench.push(body(keys));
    await bench.push(body(keys));
    bench.asked.length = 0;
    await bench.push(body(keys));
    expect(bench.asked).toStrictEqual(["http://hub-1-a:1"]);
    expect(bench.metrics.hubUp.value({ target_shard: "shard-0", target_replica: "a" })).toBe(0);
    bench.moods.set("http://hub-1-a:1", down);
    bench.asked.length = 0;
    expect((await bench.push(body(keys))).unplaced).toBe(keys.length);
    expect([...bench.asked].sort()).toStrictEqual(["http://hub-0-a:1", "http://hub-1-a:1"]);
  });

  it("counts what passes a shard that is left alone as failed over, as long as it lasts", async () => {
    const bench = new Bench(2);
    const own = keys.filter((key) => bench.orderOf(key)[0] === 0).length;
    bench.moods.set("http://hub-0-a:1", down);
    for (let at = 1; at <= 4; at += 1) {
      await bench.push(body(keys));
      expect(bench.metrics.failoverSamples.value({ target_shard: "shard-0" })).toBe(at * own);
    }
    expect(bench.metrics.failoverSamples.value({ target_shard: "shard-1" })).toBe(0);
  });

  it.each([
    ["down", down],
    ["full", full],
  ])(
    "tells the placement for ten seconds of a shard that is %s, so that no exporter goes on alone",
    async (_, mood) => {
      const bench = new Bench(2);
      const failing = () => bench.writers.map(({ isFailing }) => isFailing);
      bench.moods.set("http://hub-0-a:1", mood);
      await bench.push(body(keys));
      bench.moods.clear();
      bench.now = 9_999;
      expect(failing()).toStrictEqual([true, false]);
      bench.now = 10_000;
      expect(failing()).toStrictEqual([false, false]);
    },
  );

  it("counts it once, also when the next shard fails as well", async () => {
    const bench = new Bench(3);
    const key = keys.find((each) => bench.orderOf(each)[0] === 0) ?? "";
    const next = bench.orderOf(key)[1];
    bench.moods.set("http://hub-0-a:1", down);
    for (let at = 0; at < 2; at += 1) await bench.push(body([key]));
    bench.moods.set(`http://hub-${String(next)}-a:1`, full);
    await bench.push(body([key]));
    expect(bench.metrics.failoverSamples.value({ target_shard: "shard-0" })).toBe(3);
    expect(bench.metrics.failoverSamples.value({ target_shard: `shard-${String(next)}` })).toBe(1);
  });

  it("asks one that is well first where all shards are said to be down", async () => {
    const bench = new Bench(3);
    for (const at of [0, 1, 2]) bench.passedOver.add(at);
    for (const at of [1, 2]) bench.moods.set(`http://hub-${String(at)}-a:1`, down);
    for (let at = 0; at < 2; at += 1) await bench.push(body(keys));
    bench.asked.length = 0;
    expect((await bench.push(body(keys))).unplaced).toBe(0);
    expect(bench.asked).toStrictEqual(["http://hub-0-a:1"]);
  });

  it("goes on asking a full hub, since the next scrape empties it", async () => {
    const bench = new Bench(1);
    bench.moods.set("http://hub-0-a:1", full);
    for (let at = 0; at < 5; at += 1) expect((await bench.push("a 1 5\n")).unplaced).toBe(1);
    bench.moods.delete("http://hub-0-a:1");
    expect((await bench.push("a 1 5\n")).unplaced).toBe(0);
  });
});

describe("two replicas", () => {
  it("writes the same to both", async () => {
    const bench = new Bench(1, 2);
    await bench.push("a 1 5\nb 2 5\n");
    expect(bench.linesOf("http://hub-0-a:1")).toStrictEqual(["a 1 5", "b 2 5"]);
    expect(bench.linesOf("http://hub-0-b:1")).toStrictEqual(["a 1 5", "b 2 5"]);
  });

  it.each([
    ["down", down],
    ["full", full],
  ])("counts a hub that is %s alone as a missed replica: no failover", async (_, mood) => {
    const bench = new Bench(2, 2);
    bench.moods.set("http://hub-0-b:1", mood);
    for (let at = 0; at < 3; at += 1) expect((await bench.push("a 1 5\n")).unplaced).toBe(0);
    expect(bench.linesOf("http://hub-0-a:1")).toHaveLength(3);
    expect(bench.taken.has("http://hub-1-a:1")).toBe(false);
    const missed = { target_shard: "shard-0", target_replica: "b" };
    expect(bench.metrics.missedReplicaSamples.value(missed)).toBe(3);
    expect(bench.metrics.missedReplicaWrites.value(missed)).toBe(3);
    expect(bench.metrics.failoverSamples.value({ target_shard: "shard-0" })).toBe(0);
  });

  it("fails over when both are down", async () => {
    const bench = new Bench(2, 2);
    bench.moods.set("http://hub-0-a:1", down);
    bench.moods.set("http://hub-0-b:1", full);
    expect((await bench.push("a 1 5\n")).unplaced).toBe(0);
    expect(bench.linesOf("http://hub-1-a:1")).toStrictEqual(["a 1 5"]);
    expect(bench.linesOf("http://hub-1-b:1")).toStrictEqual(["a 1 5"]);
  });
});

describe("numbers of writes", () => {
  const numberOf = (line: string) => Number(line.split(" ")[1]);

  it("go up by one, and both replicas get the same ones", async () => {
    const bench = new Bench(1, 2);
    for (let at = 0; at < 3; at += 1) await bench.push("a 1 5\n");
    expect(bench.numbers.get("http://hub-0-a:1")).toStrictEqual(
      [1, 2, 3].map(
        (n) => `pipeline_push_batch{exporter="e"} 170000000000000${String(n)} ${String(1_699_999_999_999 + n)}`,
      ),
    );
    expect(bench.numbers.get("http://hub-0-b:1")).toStrictEqual(bench.numbers.get("http://hub-0-a:1"));
  });

  it("show on a replica which writes it missed", async () => {
    const bench = new Bench(1, 2);
    await bench.push("a 1 5\n");
    bench.moods.set("http://hub-0-b:1", full);
    await bench.push("a 2 6\n");
    bench.moods.delete("http://hub-0-b:1");
    await bench.push("a 3 7\n");
    const base = 1_700_000_000_000_000;
    expect(bench.numbers.get("http://hub-0-a:1")?.map(numberOf)).toStrictEqual([base + 1, base + 2, base + 3]);
    expect(bench.numbers.get("http://hub-0-b:1")?.map(numberOf)).toStrictEqual([base + 1, base + 3]);
  });

  it("belong to the shard that is written to: a failover takes the next one of the other shard", async () => {
    const bench = new Bench(2);
    await bench.push("a 1 5\n");
    bench.moods.set("http://hub-0-a:1", full);
    await bench.push("a 2 6\n");
    bench.moods.delete("http://hub-0-a:1");
    await bench.push("a 3 7\n");
    const base = 1_700_000_000_000_000;
    // The second write may have been taken by a hub whose answer was lost, so nobody else gets its number.
    expect(bench.numbers.get("http://hub-0-a:1")?.map(numberOf)).toStrictEqual([base + 1, base + 3]);
    expect(bench.numbers.get("http://hub-1-a:1")?.map(numberOf)).toStrictEqual([base + 1]);
  });
});

describe("series that went to another shard", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** A bench of two shards, and a key whose shard is 0. */
  function moving(): { bench: Bench; key: string } {
    const bench = new Bench(2);
    const key = keys.find((each) => bench.orderOf(each)[0] === 0) ?? "";
    return { bench, key };
  }

  it("end on the one they left, at the timestamps of their pushes, until a lookback is over", async () => {
    const { bench, key } = moving();
    const series = `m{gatewayID="${key}"}`;
    const push = async (at: number) => {
      bench.now = at;
      await bench.push(`${series} 1 ${String(at)}\n`);
      await turn();
    };
    await push(1_000_000);
    expect(bench.ended).toStrictEqual([]);
    bench.moods.set("http://hub-0-a:1", full);
    await push(1_015_000);
    await push(1_030_000);
    expect(bench.ended).toStrictEqual([`0 ${series} 1015000`, `0 ${series} 1030000`]);
    bench.moods.clear();
    await push(1_045_000);
    expect(bench.ended.slice(2)).toStrictEqual([`1 ${series} 1045000`]);
    await push(1_030_000 + 300_000);
    expect(bench.ended).toHaveLength(3);
  });

  it.each([
    ["timed out, since it may sit there all the same", { kind: "failed", failure: "timeout", detail: "late" } as const],
    ["was refused, since another exporter may have stored the key there a moment ago", down],
  ])("end where a push %s", async (_, mood) => {
    const { bench, key } = moving();
    const series = `m{gatewayID="${key}"}`;
    bench.moods.set("http://hub-0-a:1", mood);
    await bench.push(`${series} 1 5\n`);
    await turn();
    expect(bench.ended).toStrictEqual([`0 ${series} 5`]);
  });

  it("end on a shard that is down for no longer than a lookback: nothing of it is visible any more", async () => {
    const { bench, key } = moving();
    const series = `m{gatewayID="${key}"}`;
    const push = async (at: number) => {
      bench.now = at;
      await bench.push(`${series} 1 ${String(at)}\n`);
      await turn();
    };
    bench.moods.set("http://hub-0-a:1", down);
    // It is left alone from the second failure on.
    for (const at of [1_000_000, 1_015_000, 1_314_999, 1_315_000, 1_330_000]) await push(at);
    expect(bench.ended).toStrictEqual([1_000_000, 1_015_000, 1_314_999].map((at) => `0 ${series} ${String(at)}`));
    // A key whose own shard is well.
    const calm = keys.find((each) => bench.orderOf(each)[0] === 1) ?? "";
    bench.ended.length = 0;
    bench.now = 1_331_000;
    await bench.push(`m{gatewayID="${calm}"} 1 1331000\n`);
    await turn();
    expect(bench.ended).toStrictEqual([]);
  });

  it("end on a shard that all exporters pass over, whichever of them stored the key there", async () => {
    const { bench, key } = moving();
    const series = `m{gatewayID="${key}"}`;
    bench.now = 1_000_000;
    bench.passedOver.add(0);
    await bench.push(`${series} 1 985000\n`);
    await turn();
    expect(bench.linesOf("http://hub-1-a:1")).toHaveLength(1);
    expect(bench.ended).toStrictEqual([`0 ${series} 985000`]);
    bench.now += 300_000;
    await bench.push(`${series} 1 1300000\n`);
    await turn();
    expect(bench.ended).toHaveLength(1);
  });

  it("end although another key is pinned while their push is under way", async () => {
    const { bench, key } = moving();
    const series = `m{gatewayID="${key}"}`;
    bench.now = 1_000_000;
    await bench.push(`${series} 1 1000000\n`);
    bench.moods.set("http://hub-0-a:1", full);
    bench.whilePushing = () => bench.router.usePins(new Map([["other", [1]]]));
    bench.now = 1_015_000;
    await bench.push(`${series} 1 1015000\n`);
    await turn();
    expect(bench.ended).toStrictEqual([`0 ${series} 1015000`]);
  });

  it("are those that moved: nothing of other keys ends", async () => {
    const { bench, key } = moving();
    await bench.push(body(keys));
    bench.moods.set("http://hub-0-a:1", full);
    await bench.push(
      `m{gatewayID="${key}"} 1 20\nm{gatewayID="${keys.find((each) => bench.orderOf(each)[0] === 1) ?? ""}"} 1 20\n`,
    );
    await turn();
    expect(bench.ended).toStrictEqual([`0 m{gatewayID="${key}"} 20`]);
  });
});
