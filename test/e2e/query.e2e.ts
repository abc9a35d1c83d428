/** The query path: pairs of replicas that hold the same, and answers that stay right while one of them goes. */
import { describe } from "vitest";
import { form } from "./kit/form";
import { sharedWorld } from "./kit/suite";
import { controllerTests } from "./pairs/controller-tests";
import { loadTests } from "./pairs/load-tests";
import { lossTests } from "./pairs/loss-tests";
import { pairTests } from "./pairs/pair-tests";
import { World } from "./pairs/world";

const world = sharedWorld(() => World.create());

describe("two shards of two replicas under a feed", () => pairTests(world));

describe.runIf(form === "long")("controllers", () => controllerTests(world));

describe("both replicas of a shard away", () => lossTests(world));

describe.runIf(form === "long")("one replica of a shard away, under load", () => loadTests(world));
