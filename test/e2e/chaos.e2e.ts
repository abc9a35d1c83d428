/** Faults of hubs, exporters and what is between them, under a feed: nothing acknowledged is lost, and no step is wrong. */
import { describe } from "vitest";
import { faultTests } from "./chaos/fault-tests";
import { World } from "./chaos/world";
import { sharedWorld } from "./kit/suite";

const world = sharedWorld(() => World.create());

describe("two shards of two replicas and two exporters under a feed", () => faultTests(world));
