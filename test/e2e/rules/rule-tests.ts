import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { lastLines } from "../kit/command";
import { fingerprint, objectsOf } from "../kit/objects";
import type { Pipeline } from "../kit/pipeline";
import { until } from "../kit/wait";
import { evaluationSeconds, ruleFiles, scrapeSeconds, shardCount, stacks, type World } from "./world";

/** Seconds for a push to be scraped, for the lag of rules, and for asking Alertmanager through a tunnel. */
const lagSeconds = scrapeSeconds + 2 * scrapeSeconds + 4;

const shards = Array.from({ length: shardCount }, (_, shard) => shard);

/** Values of one series of a selector by time, over the last `window`. */
export async function valuesOf(
  pipeline: Pipeline,
  selector: string,
  window: string,
): Promise<ReadonlyMap<number, number>> {
  const answer = await pipeline.api.query(`${selector}[${window}]`);
  if (answer.type !== "matrix") throw new Error(`${selector} gave a ${answer.type}`);
  return new Map(answer.series[0]?.values ?? []);
}

/** Tests of rules in the sharded sizes. */
export function ruleTests(world: () => World): void {
  test("up with a rules directory starts two Rulers; no tenant's rule is on a shard, only generated parts", async () => {
    await world().deploy(stacks.sharded);
    for (const ruler of ["ruler-0", "ruler-1"] as const) {
      expect(await world().rulesOf(stacks.sharded, ruler)).toEqual(["SpansShards", "network:e2e_moving:sum"]);
    }
    for (const shard of shards) {
      expect(await world().rulesOf(stacks.sharded, shard)).toEqual(["network:e2e_moving:sum:per_shard"]);
    }
  });

  test("an alert whose expression spans shards fires once, within two evaluation intervals", async () => {
    expect(await world().alerts(stacks.sharded)).toEqual([]);
    await world().startPushing(stacks.sharded);
    const seconds = 2 * evaluationSeconds + lagSeconds;
    await until("the alert", { seconds }, async () => (await world().alerts(stacks.sharded)).length > 0);
    // Both Rulers have sent it by now, some of them twice.
    await sleep(2 * evaluationSeconds * 1_000);
    const alerts = await world().alerts(stacks.sharded);
    expect(alerts.map(({ labels }) => labels)).toEqual([{ alertname: "SpansShards", severity: "page" }]);
  });

  test("a changed rule file is active on both Rulers within 30 s of the end of up, and nothing restarts", async () => {
    const pods = async () => fingerprint((await objectsOf(stacks.sharded)).filter(({ kind }) => kind === "Pod"));
    const before = await pods();
    const more = "groups:\n  - name: more\n    rules:\n      - record: e2e:more\n        expr: count(e2e_span)\n";
    world().writeRules({ ...ruleFiles, "more.yaml": more });
    const ended = await world().deploy(stacks.sharded);
    for (const ruler of ["ruler-0", "ruler-1"] as const) {
      await until(`the new rule on ${ruler}`, { seconds: 30 - (Date.now() - ended) / 1_000 }, async () => {
        return (await world().rulesOf(stacks.sharded, ruler)).includes("e2e:more");
      });
    }
    expect(await pods()).toEqual(before);
    const pipeline = await world().pipeline(stacks.sharded);
    await until("a result of it", { seconds: 2 * evaluationSeconds + lagSeconds }, async () => {
      const answer = await pipeline.api.query("e2e:more");
      return answer.type === "vector" && answer.samples[0]?.value === 4;
    });
  });

  test("a bad rule file is refused with file and line before anything is planned", async () => {
    const { workspace } = world();
    world().writeRules({
      ...ruleFiles,
      "bad.yaml": "groups:\n  - name: bad\n    rules:\n      - alert: A\n        expr: sum(\n",
    });
    const result = await workspace.tool(["up", stacks.sharded, "--no-feed"]);
    world().writeRules(ruleFiles);
    expect(result.code).not.toBe(0);
    expect(lastLines(result, 400)).toContain("bad.yaml:5: groups[0].rules[0].expr");
  });

  // Last, so that the evaluations it needs pass meanwhile.
  test("a sharded rule equals the unsharded expression at the shards' evaluation times, 30 times in a row", async () => {
    const pipeline = await world().pipeline(stacks.sharded);
    const part = `network:e2e_moving:sum:per_shard{network="n0",shard="0"}`;
    await until("enough evaluations", { seconds: 120 }, async () => (await valuesOf(pipeline, part, "90s")).size > 36);
    const times = [...(await valuesOf(pipeline, part, "90s")).keys()].slice(-36);
    const combined = [...(await valuesOf(pipeline, `network:e2e_moving:sum{network="n0"}`, "110s"))];
    let inARow = 0;
    for (const [at, time] of times.entries()) {
      const next = times[at + 1];
      // The Ruler's evaluations between this one of the shards and the next; the newest may still be to come. Shards are
      // asked for whole seconds.
      const isBetween = (each: number): boolean => next !== undefined && each >= time && each < next;
      const recorded = combined.filter(([each]) => isBetween(Math.floor(each / 1_000) * 1_000));
      if (recorded.length === 0) continue;
      const pinned = `e2e_moving{network="n0"} @ ${String(time / 1_000)}`;
      const expected = await pipeline.api.query(`sum by (network) (${pinned})`);
      const value = expected.type === "vector" ? expected.samples[0]?.value : undefined;
      for (const [, found] of recorded) expect(found, `at ${String(time)}`).toBe(value);
      inARow += recorded.length;
    }
    expect(inARow).toBeGreaterThanOrEqual(30);
  });
}
