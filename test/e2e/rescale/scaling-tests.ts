import { expect, test } from "vitest";
import { claimName, hubName, NAMES, prometheusName } from "../../../model/names";
import { check, comparedBy, disagreements } from "../kit/checker";
import { lastLines } from "../kit/command";
import { form } from "../kit/form";
import { fingerprint, nameOf, objectsOf, type KubernetesObject } from "../kit/objects";
import { described, planOf, touchesShards } from "../kit/plan";
import { until } from "../kit/wait";
import { stacks, type World } from "./world";

const claimOf = (shard: number): string => claimName(prometheusName(shard, "a"));

/** StatefulSets, pods, claims and Services of the shards' Prometheus servers: what a rescale must leave alone. */
async function shardObjects(shards: readonly number[]): Promise<Readonly<Record<string, string>>> {
  const ofShards = new RegExp(`(prometheus|sidecar|hub)-shard-(${shards.join("|")})-`);
  const objects = await objectsOf(stacks.rescale);
  const kept = objects.filter((object) => ofShards.test(nameOf(object)) && object.kind !== "ConfigMap");
  return fingerprint(kept);
}

async function claim(shard: number): Promise<KubernetesObject | undefined> {
  const objects = await objectsOf(stacks.rescale);
  return objects.find(({ kind, metadata }) => kind === "PersistentVolumeClaim" && metadata.name === claimOf(shard));
}

/** 2 -> 3 -> 2 with shard 2 retired -> 2 -> 3, while a feed runs. */
export function scalingTests(world: () => World): void {
  let claimOfShard2 = "";

  /**
   * Everything that was acknowledged is readable. Series that moved to the third shard and back are on two: rates over both
   * moves are not the ledger's (docs/moving-keys.md).
   */
  async function everySampleReadable(): Promise<void> {
    const outcome = await check(world().workspace, stacks.rescale, [
      "--allow-duplicates",
      "--no-rates",
      "--settle",
      "8s",
    ]);
    expect(disagreements(outcome)).toEqual([]);
    expect(comparedBy(outcome, /^samples$/)).toBeGreaterThan(1_000);
  }

  test("two shards take a feed, and answer with what the ledger says", async () => {
    await world().deploy({ serversCount: 2 });
    await world().feed.start();
    const outcome = await check(world().workspace, stacks.rescale, ["--settle", "8s"]);
    expect(disagreements(outcome)).toEqual([]);
    expect(outcome.reports[0]?.duplicates).toBe(0);
  });

  test("2 -> 3: the preview touches nothing of shards 0 and 1, and up leaves their pods and claims alone", async () => {
    world().configure({ serversCount: 3 });
    const plan = await planOf(world().workspace, stacks.rescale);
    expect(touchesShards(plan, [0, 1])).toEqual([]);
    expect(described(plan)).toContain(`create StatefulSet ${prometheusName(2, "a")}`);
    const before = await shardObjects([0, 1]);
    await world().deploy({ serversCount: 3 });
    expect(await shardObjects([0, 1])).toEqual(before);
    await world().feed.nextRound();
    await world().with(stacks.rescale, async ({ api }) => {
      await until("samples on shard 2", { seconds: 30 }, async () => {
        return (await api.number(`count({feed_run="${world().feed.run()}",shard="2"})`)) > 0;
      });
    });
    claimOfShard2 = (await claim(2))?.metadata.uid ?? "";
    expect(claimOfShard2).not.toBe("");
  });

  test("3 -> 2 in one step fails under deletionProtection before anything is changed or deleted", async () => {
    const before = fingerprint(await objectsOf(stacks.rescale));
    world().configure({ serversCount: 2 });
    const result = await world().workspace.tool(["up", stacks.rescale, "--no-feed"]);
    const after = fingerprint(await objectsOf(stacks.rescale));
    // The tests that follow need three shards, whatever came of this.
    if (JSON.stringify(after) !== JSON.stringify(before)) await world().deploy({ serversCount: 3 });
    expect(result.code).not.toBe(0);
    expect(lastLines(result)).toMatch(/protect/);
    expect(after).toEqual(before);
  });

  test("3 -> 2 with shard 2 retired: only its hub goes, and nothing that was pushed to it is lost", async () => {
    world().configure({ serversCount: 2, retiredShards: [2] });
    const plan = await planOf(world().workspace, stacks.rescale);
    expect(touchesShards(plan, [0, 1])).toEqual([]);
    const onShard2 = touchesShards(plan, [2]).concat(described(plan).filter((line) => line.includes("Deployment hub")));
    expect(onShard2.every((line) => line.startsWith("delete") && line.includes(hubName(2, "a")))).toBe(true);
    expect(onShard2).toContain(`delete Deployment ${hubName(2, "a")}`);
    const before = await shardObjects([0, 1]);
    await world().deploy({ serversCount: 2, retiredShards: [2] });
    expect(await shardObjects([0, 1])).toEqual(before);
    expect(world().feed.failures()).toEqual([]);
    await everySampleReadable();
  });

  test("the retired shard answers for its past through the root, and gets nothing new", async () => {
    await world().with(stacks.rescale, async ({ api }) => {
      const samples = async (): Promise<number> => {
        const answer = await api.query(`{feed_run="${world().feed.run()}",shard="2"}[1h]`);
        if (answer.type !== "matrix") throw new Error(`unexpected ${answer.type}`);
        return answer.series.reduce((sum, { values }) => sum + values.length, 0);
      };
      const past = await samples();
      expect(past).toBeGreaterThan(0);
      await world().feed.nextRound();
      expect(await samples()).toBe(past);
    });
  });

  test.runIf(form === "long")(
    "the last step's preview says which history becomes unqueryable, and its claim is kept",
    async () => {
      const { workspace } = world();
      world().configure({ serversCount: 2 });
      const preview = await workspace.tool(["preview", stacks.rescale]);
      expect(preview.code, lastLines(preview)).toBe(2);
      expect(preview.stdout).toMatch(/shard 2: samples from about \d{4}-\d\d-\d\d.* become unqueryable/);
      expect(preview.stdout).toMatch(/- +StatefulSet prometheus-shard-2-a .*HOLDS DATA/);
      expect(preview.stdout).not.toMatch(/shard-[01]-/);
      const before = await shardObjects([0, 1]);
      await world().deploy({ serversCount: 2 });
      expect(await shardObjects([0, 1])).toEqual(before);
      expect((await objectsOf(stacks.rescale)).map(nameOf)).not.toContain(`StatefulSet/${prometheusName(2, "a")}`);
      expect((await claim(2))?.metadata.uid).toBe(claimOfShard2);
      await world().feed.nextRound();
      await world().with(stacks.rescale, async ({ api }) => {
        const answer = await api.vector(`count by (shard) ({feed_run="${world().feed.run()}"})`);
        expect(answer.samples.map(({ labels }) => labels["shard"]).sort()).toEqual(["0", "1"]);
        expect(answer.warnings).toEqual([]);
      });
    },
  );

  test.runIf(form === "long")(
    "growing to 3 again takes up the kept claim, and every sample since the beginning is readable again",
    async () => {
      await world().deploy({ serversCount: 3 });
      expect((await claim(2))?.metadata.uid).toBe(claimOfShard2);
      await world().feed.nextRound();
      await world().feed.stop();
      expect(world().feed.failures()).toEqual([]);
      await everySampleReadable();
      const deployed = (await objectsOf(stacks.rescale)).map(nameOf);
      expect(deployed).toContain(`Deployment/${NAMES.querier}`);
    },
  );

  const confirmed = form === "short" ? "" : ", and takes all of it away when it is confirmed by name";
  test(`down refuses the protected stack${confirmed}`, async () => {
    const { workspace } = world();
    const refused = await workspace.tool(["down", stacks.rescale]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`CONFIRM=${stacks.rescale}`);
    // The short form leaves the rest to the clean-up, which does not wait for graceful ends.
    if (form === "short") return;
    await workspace.mustTool(["down", stacks.rescale], { CONFIRM: stacks.rescale });
    expect(await objectsOf(stacks.rescale)).toEqual([]);
  });
}
