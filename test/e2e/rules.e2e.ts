/** Rules and alerts over shards: the Ruler, hot reload, two-level recording rules, bad rule files, the single size. */
import { afterAll, beforeAll, describe } from "vitest";
import { ruleTests } from "./rules/rule-tests";
import { singleTests } from "./rules/single-tests";
import { World } from "./rules/world";

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

describe("two shards and a pair of Rulers", () => ruleTests(world));
describe("the single size", () => singleTests(world));
