/** `make up`, the answer beside the ledger, pushes good and bad, drift, bad config, kills, and a second stack. */
import { describe } from "vitest";
import { sharedWorld } from "./kit/suite";
import { configTests } from "./main/config-tests";
import { deploymentTests } from "./main/deployment-tests";
import { fuzzTests } from "./main/fuzz-tests";
import { gateTests } from "./main/gate-tests";
import { kubeconfigTests } from "./main/kubeconfig-tests";
import { pushTests } from "./main/push-tests";
import { singleTests } from "./main/single-tests";
import { World } from "./main/world";

const world = sharedWorld(() => World.create());

describe("the sharded pipeline", () => {
  deploymentTests(world);
});
// Together, because each mostly waits until its pushes have been scraped.
describe.concurrent("pushes", () => {
  pushTests(world);
  fuzzTests(world);
});
describe("the gate", () => gateTests(world));
describe("config", () => configTests(world));
describe("a second stack, of the single size, by plain Pulumi", () => singleTests(world));
describe("a cluster of one's own", () => kubeconfigTests(world));
