import { afterAll, beforeAll, expect, test } from "vitest";
import { NAMES, PORTS } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { buildStockClient, stockPush } from "../../stand-ins/stock-client";
import { check, comparedBy, disagreements } from "../kit/checker";
import { Feed } from "../kit/feed";
import { Pipeline } from "../kit/pipeline";
import { until } from "../kit/wait";
import { podsOf } from "./pods";
import { inNode, startRingController, type RingController } from "./ring-controller";
import { stack, type World } from "./world";

/** Controllers as Magma has them, and one that hashes by itself, with and without the exporters beside it. */
export function controllerTests(world: () => World): void {
  let controller: RingController;

  beforeAll(async () => {
    controller = await startRingController(world().workspace.scratch("ring-controller"));
  });
  afterAll(async () => {
    await controller.stop();
  });

  /** Everything that a feed's ledger holds is answered once; the placement may have moved a key meanwhile. */
  async function nothingLost(feed: Feed): Promise<void> {
    expect(feed.failures()).toEqual([]);
    const outcome = await check(world().workspace, stack, ["--settle", "8s", "--no-rates", "--ledger", feed.ledger()]);
    expect(disagreements(outcome)).toEqual([]);
    expect(outcome.reports[0]?.duplicates).toBe(0);
    expect(comparedBy(outcome, /^samples$/)).toBeGreaterThan(1_000);
  }

  function feedNamed(name: string): Feed {
    return new Feed(world().workspace, stack, 3, name);
  }

  test("what a stock Magma client pushes over gRPC is counted, every series once", async () => {
    const client = buildStockClient(world().workspace.scratch("magma-client"));
    const address = await kubectl({ namespace: stack }, [
      ...["get", "service", NAMES.exporter],
      "--output=jsonpath={.spec.clusterIP}",
    ]);
    const count = 6_000;
    const [nsenter, ...before] = inNode;
    const pushed = stockPush(
      nsenter,
      ...before,
      client,
      "-generate",
      String(count),
      `${address}:${String(PORTS.pushGrpc)}`,
    );
    expect(pushed).toMatchObject({ code: "OK" });
    const pipeline = await Pipeline.open(stack);
    try {
      await until("every series of the stock client at the root", { seconds: 60 }, async () => {
        const answer = await pipeline.api.query(`count({__name__=~"magma_gateway_metric_.+"})`);
        return answer.type === "vector" && answer.samples[0]?.value === count;
      });
    } finally {
      await pipeline.close();
    }
  });

  test("beside the exporters, each with a feed of the same gateways: both are answered whole, and once", async () => {
    const [direct, usual] = [feedNamed("direct-beside"), feedNamed("usual-beside")];
    await Promise.all([direct.start(controller.route), usual.start()]);
    await Promise.all([direct.nextRound(), usual.nextRound()]);
    await Promise.all([direct.stop(), usual.stop()]);
    await nothingLost(direct);
    await nothingLost(usual);
  });

  test("without any exporter, too", async () => {
    const scale = (count: number) =>
      kubectl({ namespace: stack }, ["scale", `deployment/${NAMES.exporter}`, `--replicas=${String(count)}`]);
    await scale(0);
    try {
      await until("the end of the exporters", { seconds: 150 }, async () => {
        return (await podsOf({ component: "exporter" })).length === 0;
      });
      const direct = feedNamed("direct-alone");
      await direct.start(controller.route);
      await direct.nextRound();
      await direct.stop();
      await nothingLost(direct);
    } finally {
      await scale(1);
    }
  });
}
