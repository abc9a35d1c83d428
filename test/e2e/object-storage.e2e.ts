/** A real S3 server takes the blocks, one Compactor merges them, Store Gateways serve them, and nothing is lost. */
import { describe } from "vitest";
import { form } from "./kit/form";
import { sharedWorld } from "./kit/suite";
import { bucketTests } from "./object-storage/bucket-tests";
import { switchingTests } from "./object-storage/switching-tests";
import { World } from "./object-storage/world";

const world = sharedWorld(() => World.create());

describe("a new stack with object storage", () => bucketTests(world));
describe.runIf(form === "long")("object storage switched on for a running stack", () => switchingTests(world));
