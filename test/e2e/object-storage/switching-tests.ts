import { expect, test } from "vitest";
import { phasePlan, STORAGE_PHASES, type StoragePhase } from "../../../model/storage-phase";
import { lastLines } from "../kit/command";
import { keyOfShard } from "../kit/pipeline";
import { until } from "../kit/wait";
import type { History } from "./history";
import { compactorMetrics, sidecarMetrics } from "./parts";
import { shardCount, shards, stacks, type World } from "./world";

const hour = 3_600_000;

/** Object storage is switched on, phase by phase, for a stack that has compacted its history already. */
export function switchingTests(world: () => World): void {
  const stack = stacks.running;
  let made: History | undefined;
  const pushed: string[] = [];

  function history(): History {
    if (made === undefined) throw new Error("needs the history of the first test");
    return made;
  }

  /** Pushes one sample to every shard; all that were pushed so far, and the whole history, must be readable. */
  async function nothingIsLost(step: string): Promise<void> {
    await world().with(stack, async (pipeline) => {
      pushed.push(step);
      for (const shard of shards) {
        const body = `e2e_switching{gatewayID="${keyOfShard(shard, shardCount)}",step="${step}"} 1 ${String(Date.now())}\n`;
        expect(await pipeline.push(body)).toEqual({ status: 200, text: "" });
      }
      await pipeline.settle(shardCount);
      const { samples } = await pipeline.api.vector("sum by (step) (count_over_time(e2e_switching[2h]))");
      const found: Readonly<Record<string, number>> = Object.fromEntries(
        samples.map(({ labels, value }) => [labels["step"] ?? "", value]),
      );
      const wanted: Readonly<Record<string, number>> = Object.fromEntries(pushed.map((each) => [each, shardCount]));
      expect(found).toEqual(wanted);
    });
    await world().equalsLedger(history());
  }

  test("without object storage, Prometheus has compacted its history: blocks that no sidecar uploads by itself", async () => {
    made = await world().prepare(stack);
    await world().deploy(stack, "off");
    await world().with(stack, async ({ api }) => {
      await until("compacted blocks on every shard", { seconds: 240, everyMilliseconds: 2_000 }, async () => {
        const { samples } = await api.vector('prometheus_tsdb_blocks_loaded{job="prometheus"} < 40');
        return samples.length === shardCount;
      });
    });
    await nothingIsLost("off");
  });

  test("a phase can't be skipped: up refuses it, says why and what comes first, and changes nothing", async () => {
    for (const phase of ["backlog", "steady", "shrunk"] as const) {
      world().configure(stack, phase);
      const result = await world().workspace.tool(["up", stack, "--no-feed"]);
      expect(result.code, phase).not.toBe(0);
      expect(lastLines(result), phase).toMatch(/set objectStorage\.phase to empty-meta first/);
    }
  });

  test.each(STORAGE_PHASES)("phase %s: every sample, old and new, is still answered", async (phase: StoragePhase) => {
    await world().deploy(stack, phase);
    const { uploadsCompacted, shrinks } = phasePlan(phase);
    if (uploadsCompacted) {
      for (const shard of shards) {
        await until(`the backlog of shard ${String(shard)}`, { seconds: 180 }, async () => {
          const metric = await sidecarMetrics(stack, shard);
          return metric("thanos_shipper_upload_compacted_done") === 1;
        });
      }
      const { start } = history();
      await world().endpointsAre(
        stack,
        "Store Gateways with all of it",
        { kind: "store" },
        ({ minTime }) => minTime <= start,
      );
    }
    if (shrinks) {
      const { end } = history();
      await world().endpointsAre(stack, "local disks without old blocks", { kind: "sidecar" }, ({ minTime }) => {
        return minTime > end - 36 * hour;
      });
    }
    await nothingIsLost(phase);
  });

  test("nothing is downsampled in a bucket whose config does not ask for it", async () => {
    let iterations: number | undefined;
    await until("merged blocks of every shard, and an iteration more", { seconds: 240 }, async () => {
      const metric = await compactorMetrics(stack);
      expect(metric("thanos_compact_halted")).toBe(0);
      expect(metric("thanos_compact_downsample_total")).toBe(0);
      if (metric("thanos_compact_group_compactions_total") < shardCount) return false;
      const ended = metric("thanos_compact_iterations_total");
      iterations ??= ended;
      return ended > iterations;
    });
  });
}
