/**
 * Faults that lose something: whoever holds the newest samples is killed at once. What is lost must have been acknowledged
 * within one scrape interval (and the time of a scrape) before the kill, by gateways of that shard; everything else is there.
 */
import { afterEach, describe, expect, test } from "vitest";
import { makeFleet } from "../../../tools/feed/fleet";
import { say } from "../../../tools/terminal";
import { chosenFaults, faultNames, type Fault, type LossFault } from "../../faults";
import { disagreements } from "../kit/checker";
import type { Doubtful } from "../kit/feed";
import { form } from "../kit/form";
import { exporters as exporterPods } from "./exporter-faults";
import { killContainer } from "./faults";
import { hubPod } from "./hub-faults";
import type { World } from "./world";

interface Loss {
  readonly config: { readonly highAvailability: boolean };
  readonly replicas: readonly ["a", "b"] | readonly ["a"];
  /** Exporters that are killed. */
  readonly exporters: number;
}

const losses: Readonly<Record<LossFault, Loss>> = {
  "hubs-and-exporters-killed": { config: { highAvailability: true }, replicas: ["a", "b"], exporters: 2 },
  "hub-and-exporter-killed": { config: { highAvailability: false }, replicas: ["a"], exporters: 1 },
};

const shard = 1;

/** The scrape interval, and a second in which a scrape that has emptied the hub may not yet be stored. Milliseconds. */
const window = 2_000 + 1_000;

/** Whether a fault loses something. */
export function isLoss(name: Fault): name is LossFault {
  return faultNames.some((fault) => fault.name === name && "loses" in fault);
}

/** Kills hubs and exporters at one moment. Gives the pushes that may be lost by it. */
async function killed(world: World, { replicas, exporters }: Loss): Promise<Doubtful> {
  const hubs = await Promise.all(replicas.map((replica) => hubPod(shard, replica)));
  const pods = await exporterPods();
  const { header } = world.feed.contents();
  const ids = await world.gatewaysOn(shard);
  const gateways = makeFleet(header.fleet, header.run).gateways.filter(({ id }) => ids.has(id));
  // Just after a round, so that there is something to lose.
  await world.feed.pushing();
  await world.last(0.3);
  const from = Date.now() - window;
  for (const pod of hubs) killContainer(pod, "hub");
  for (const pod of pods.slice(0, exporters)) killContainer(pod, "exporter");
  // What was answered before the kill is written down a little later.
  return { from, to: Date.now() + 200, gateways: new Set(gateways.map(({ index }) => index)) };
}

/** Each of them that is asked for. */
export function lossTests(world: () => World): void {
  const chosen = chosenFaults(process.env["CHAOS_ONLY"] ?? "", form).flatMap(({ name, shows }) =>
    isLoss(name) ? [{ name, shows, ...losses[name] }] : [],
  );

  describe.skipIf(chosen.length === 0)("what may be lost", () => {
    afterEach(async () => {
      await world().feed.stop();
      await world().deploy();
    });

    test.each(chosen)(
      "$name: $shows",
      async (loss) => {
        await world().deploy(loss.config);
        await world().startFeed();
        await world().feed.nextRound();
        await world().feed.nextRound();
        const doubtful = await killed(world(), loss);
        await world().feed.nextRound();
        await world().feed.nextRound();
        await world().feed.stop();
        await world().recovered(2, loss.replicas);
        const { samples: lost } = await world().lost();
        const { samples: beyond, outcome } = await world().lost(doubtful);
        say(`${loss.name}: ${String(lost)} samples lost, ${String(beyond)} of them beyond the bound`);
        expect.soft(disagreements(outcome), "lost, and acknowledged earlier or on another shard").toEqual([]);
        expect.soft(world().feed.failures(), "pushes that were given up").toEqual([]);
        world().tell(beyond);
      },
      1_200_000,
    );
  });
}
