/** Rules and alerts over shards: the Ruler, hot reload, two-level recording rules, bad rule files, configmanager, the single size. */
import { afterAll, beforeAll, describe } from "vitest";
import { configManagerTests } from "./rules/configmanager-tests";
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
describe("rules over HTTP, with prometheus-configmanager", () => configManagerTests(world));
describe("the single size", () => singleTests(world));
