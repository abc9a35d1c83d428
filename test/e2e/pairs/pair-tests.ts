import { expect, test } from "vitest";
import { BATCH_METRIC, type ReplicaLetter } from "../../../model/names";
import { check, comparedBy, disagreements } from "../kit/checker";
import { form } from "../kit/form";
import { Pipeline } from "../kit/pipeline";
import { until } from "../kit/wait";
import { killHub, podOf } from "./pods";
import { letters, shardCount, stack, stackConfig, type World } from "./world";

const shards = Array.from({ length: shardCount }, (_, shard) => shard);

/** Waits until the root answers after restarts. */
async function answersAgain(selector: string): Promise<void> {
  const pipeline = await Pipeline.open(stack);
  try {
    await pipeline.answersAgain(selector);
  } finally {
    await pipeline.close();
  }
}

/** Numbers of the writes that one Prometheus has. */
async function numbersOf(world: World, shard: number, replica: ReplicaLetter): Promise<ReadonlySet<number>> {
  const held = await world.held(shard, replica, BATCH_METRIC);
  return new Set([...held.values()].flatMap((values) => values.map(([, value]) => value)));
}

/** Replicas of each shard, a killed hub, an update. */
export function pairTests(world: () => World): void {
  /** The root's answers are the ledger's, and no series went to another shard. */
  async function nothingLost(): Promise<void> {
    expect(world().feed.failures()).toEqual([]);
    await answersAgain(`{feed_run="${world().feed.run()}"}`);
    const outcome = await check(world().workspace, stack, ["--settle", "8s"]);
    expect(disagreements(outcome)).toEqual([]);
    expect(outcome.reports[0]?.duplicates).toBe(0);
    expect(comparedBy(outcome, /^samples$/)).toBeGreaterThan(1_000);
  }

  test("both replicas of a shard hold the same samples and the same numbers of writes", async () => {
    await world().deploy();
    await world().feed.start();
    await world().feed.nextRound();
    await world().feed.stop();
    for (const shard of shards) {
      for (const selector of [`{feed_run="${world().feed.run()}"}`, BATCH_METRIC]) {
        await until(`the same ${selector} on both replicas of shard ${String(shard)}`, { seconds: 30 }, async () => {
          const [a, b] = [await world().held(shard, "a", selector), await world().held(shard, "b", selector)];
          expect(a.size).toBeGreaterThan(0);
          expect(b).toEqual(a);
          return true;
        });
      }
      const numbers = [...(await numbersOf(world(), shard, "a"))].sort((left, right) => left - right);
      expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at));
    }
    await nothingLost();
  });

  test("a killed hub of replica b costs nothing: the exporters send it again what it lost", async () => {
    await world().feed.start();
    for (const shard of shards) await killHub(shard, "b");
    await world().feed.nextRound();
    await world().feed.stop();
    await nothingLost();
    for (const shard of shards) {
      await until(`every write of shard ${String(shard)} on both replicas`, { seconds: 120 }, async () => {
        const [a, b] = [await numbersOf(world(), shard, "a"), await numbersOf(world(), shard, "b")];
        expect([...b].sort()).toEqual([...a].sort());
        return true;
      });
    }
  });

  // A minute and a half: in the long form only.
  test.runIf(form === "long")("an update of every part of both replicas loses nothing", async () => {
    await world().feed.start();
    const parts = shards.flatMap((shard) =>
      (["prometheus", "hub"] as const).map((component) => ({ component, shard })),
    );
    const podsOf = (replica: ReplicaLetter) =>
      Promise.all(parts.map(({ component, shard }) => podOf(component, shard, replica)));
    const before = (await Promise.all(letters.map(podsOf))).flat();
    // One flag of every hub and one of every Prometheus.
    const { push } = stackConfig();
    await world().deploy({
      push: { ...(push as object), hubLimit: 400_000 },
      query: { replicas: 1, maxSamples: 40_000_000 },
    });
    const uids = new Set(before.map(({ uid }) => uid));
    // Provider 4.18 may take a StatefulSet's state before an update for the one after it, so up can end early.
    await until("new pods of both replicas, ready", { seconds: 120 }, async () => {
      const after = (await Promise.all(letters.map(podsOf))).flat();
      return after.every(({ uid, ready }) => !uids.has(uid) && ready !== undefined);
    });
    await world().feed.nextRound();
    await world().feed.stop();
    await nothingLost();
  });
}
