/** The number of shards and the size change by config while a feed runs, and nothing is lost. */
import { afterAll, beforeAll, describe } from "vitest";
import { form } from "./kit/form";
import { scalingTests } from "./rescale/scaling-tests";
import { sizeTests } from "./rescale/size-tests";
import { World } from "./rescale/world";

let made: World | undefined;

function world(): World {
  if (made === undefined) throw new Error("the suite's workspace could not be made");
  return made;
}

beforeAll(async () => {
  made = await World.create();
});

afterAll(async () => {
  await made?.close();
});

describe("2 -> 3 -> 2 shards under a feed", () => scalingTests(world));
describe.runIf(form === "long")("from the single size to shards", () => sizeTests(world));
