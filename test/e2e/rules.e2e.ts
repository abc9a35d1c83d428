/** Rules and alerts over shards: the Ruler, hot reload, two-level recording rules, bad rule files, configmanager, the single size. */
import { describe } from "vitest";
import { sharedWorld } from "./kit/suite";
import { configManagerTests } from "./rules/configmanager-tests";
import { ruleTests } from "./rules/rule-tests";
import { singleTests } from "./rules/single-tests";
import { World } from "./rules/world";

const world = sharedWorld(() => World.create());

describe("two shards and a pair of Rulers", () => ruleTests(world));
describe("rules over HTTP, with prometheus-configmanager", () => configManagerTests(world));
describe("the single size", () => singleTests(world));
