/** Faults of hubs, exporters and what is between them, under a feed: nothing acknowledged is lost, and no step is wrong; or what is lost is within its bound. */
import { describe } from "vitest";
import { faultTests } from "./chaos/fault-tests";
import { lossTests } from "./chaos/loss-tests";
import { World } from "./chaos/world";
import { sharedWorld } from "./kit/suite";

const world = sharedWorld(() => World.create());

describe("two shards of two replicas and two exporters under a feed", () => {
  faultTests(world);
  lossTests(world);
});
