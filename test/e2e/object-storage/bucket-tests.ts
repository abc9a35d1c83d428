import { expect, test } from "vitest";
import { claimName, NAMES, prometheusName, storeName } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { nameOf, objectsOf, restartsIn } from "../kit/objects";
import { until } from "../kit/wait";
import type { History } from "./history";
import { compactorMetrics, sidecarMetrics } from "./parts";
import { shardCount, shards, stacks, type World } from "./world";

const hour = 3_600_000;

/** A new stack with object storage, over history that lies in its volumes from the start. */
export function bucketTests(world: () => World): void {
  const stack = stacks.fresh;
  let made: History | undefined;
  let cut = 0;

  function history(): History {
    if (made === undefined) throw new Error("needs the history of the first test");
    return made;
  }

  /** Deletes a pod, and waits until the one after it is ready and the root has found it. */
  async function restarted(pod: string): Promise<void> {
    await kubectl({ namespace: stack }, ["delete", "pod", pod, "--timeout=120s"]);
    await until(`${pod} to be ready again`, { seconds: 120 }, async () => {
      await kubectl({ namespace: stack }, ["wait", `pod/${pod}`, "--for=condition=Ready", "--timeout=60s"]);
      return true;
    });
    await world().with(stack, (pipeline) => pipeline.answersAgain(`{feed_run="${history().run}"}`));
  }

  test("blocks that were there before the start are uploaded to a real S3 server by every sidecar", async () => {
    made = await world().prepare(stack);
    await world().deploy(stack, "steady");
    const { start, end } = history();
    const blocks = Math.round((end - start) / (2 * hour));
    for (const shard of shards) {
      await until(`${String(blocks)} uploads of shard ${String(shard)}`, { seconds: 120 }, async () => {
        const metric = await sidecarMetrics(stack, shard);
        expect(metric("thanos_shipper_upload_failures_total")).toBe(0);
        return metric("thanos_shipper_uploads_total") >= blocks;
      });
    }
    await world().endpointsAre(
      stack,
      "Store Gateways with all of it",
      { kind: "store" },
      ({ minTime }) => minTime <= start,
    );
    await world().equalsLedger(history());
  });

  test("the one Compactor merges and downsamples them without a halt, and every answer stays the same", async () => {
    const compactors = (await objectsOf(stack)).map(nameOf).filter((name) => name.includes(NAMES.compactor));
    expect(compactors.filter((name) => name.startsWith("Pod/"))).toEqual([`Pod/${NAMES.compactor}-0`]);
    await until(
      "merged and downsampled blocks of every shard",
      { seconds: 240, everyMilliseconds: 3_000 },
      async () => {
        const metric = await compactorMetrics(stack);
        if (metric("thanos_compact_halted") !== 0) throw new Error("the Compactor has halted");
        return (
          metric("thanos_compact_group_compactions_total") >= 2 * shardCount &&
          metric("thanos_compact_downsample_total") >= shardCount
        );
      },
    );
    await world().endpointsAre(
      stack,
      "Store Gateways with merged blocks",
      { kind: "store" },
      (each) => each.hasCompacted,
    );
    await world().equalsLedger(history());
  });

  test("with shrunk local disks, ranges on the disks, in the bucket and over the boundary equal the ledger", async () => {
    const { start, end, run } = history();
    const retired = { serversCount: 1, retiredShards: [{ shard: 1, local: false }] };
    await world().deploy(stack, "shrunk", retired);
    // The new retention comes with the kubelet's next look at the ConfigMap; a new pod has it at once.
    await restarted(`${prometheusName(0, "a")}-0`);
    await world().endpointsAre(
      stack,
      "local disks without old blocks",
      { kind: "sidecar", count: 1 },
      ({ minTime }) => {
        cut = minTime;
        return minTime > end - 24 * hour && minTime < end;
      },
    );
    expect(cut).toBeGreaterThan(start + 24 * hour);
    await world().equalsLedger(history(), cut, end);
    await world().equalsLedger(history(), start, cut - 2 * hour);
    await world().equalsLedger(history(), cut - 3 * hour, cut + 3 * hour);
    await world().equalsLedger(history());
    await world().with(stack, async ({ api }) => {
      // One name at a time: count_over_time takes it off.
      const perSeries = `count_over_time(ue_attach_total{feed_run="${run}"}[${String(end - start + hour)}ms])`;
      expect(await api.number(`count(count by (shard) (${perSeries}))`, end)).toBe(shardCount);
      expect(await api.number(`min(${perSeries})`, end)).toBe(history().samples);
      expect(await api.number(`max(${perSeries})`, end)).toBe(history().samples);
    });
  });

  test("the retired shard, without its Prometheus, has answered from the bucket alone, and its claim is kept", async () => {
    const names = (await objectsOf(stack)).map(nameOf);
    expect(names).not.toContain(`StatefulSet/${prometheusName(1, "a")}`);
    expect(names).toContain(`PersistentVolumeClaim/${claimName(prometheusName(1, "a"))}`);
    expect(names).toContain(`StatefulSet/${storeName(1)}`);
    await world().with(stack, async (pipeline) => {
      await pipeline.settle(1);
    });
    expect(await restartsIn(stack)).toEqual([]);
  });

  test("the Compactor can be killed at any time: there is never a second one, and nothing changes for readers", async () => {
    const before = (await objectsOf(stack)).find((object) => nameOf(object) === `Pod/${NAMES.compactor}-0`);
    await kubectl({ namespace: stack }, ["delete", "pod", `${NAMES.compactor}-0`, "--grace-period=0", "--force"]);
    await until("a Compactor again", { seconds: 120 }, async () => {
      const pods = (await objectsOf(stack)).filter((object) => nameOf(object).startsWith(`Pod/${NAMES.compactor}`));
      if (pods.length > 1) throw new Error(`${String(pods.length)} Compactors`);
      const [pod] = pods;
      return pod !== undefined && pod.metadata.uid !== before?.metadata.uid && pod.status.phase === "Running";
    });
    await world().equalsLedger(history());
  });
}
