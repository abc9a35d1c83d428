/** The number of shards and the size change by config while a feed runs, and nothing is lost. */
import { describe } from "vitest";
import { form } from "./kit/form";
import { sharedWorld } from "./kit/suite";
import { scalingTests } from "./rescale/scaling-tests";
import { sizeTests } from "./rescale/size-tests";
import { World } from "./rescale/world";

const world = sharedWorld(() => World.create());

describe("2 -> 3 -> 2 shards under a feed", () => scalingTests(world));
describe.runIf(form === "long")("from the single size to shards", () => sizeTests(world));
