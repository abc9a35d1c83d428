/** The query path: pairs of replicas that hold the same, and answers that stay right while one of them goes. */
import { afterAll, beforeAll, describe } from "vitest";
import { pairTests } from "./pairs/pair-tests";
import { World } from "./pairs/world";

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

describe("two shards of two replicas under a feed", () => pairTests(world));
