/** The query path: pairs of replicas that hold the same, and answers that stay right while one of them goes. */
import { describe } from "vitest";
import { sharedWorld } from "./kit/suite";
import { lossTests } from "./pairs/loss-tests";
import { pairTests } from "./pairs/pair-tests";
import { World } from "./pairs/world";

const world = sharedWorld(() => World.create());

describe("two shards of two replicas under a feed", () => pairTests(world));

describe("both replicas of a shard away", () => lossTests(world));
