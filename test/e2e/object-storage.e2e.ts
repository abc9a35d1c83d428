/** A real S3 server takes the blocks, one Compactor merges them, Store Gateways serve them, and nothing is lost. */
import { afterAll, beforeAll, describe } from "vitest";
import { form } from "./kit/form";
import { bucketTests } from "./object-storage/bucket-tests";
import { switchingTests } from "./object-storage/switching-tests";
import { World } from "./object-storage/world";

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

describe("a new stack with object storage", () => bucketTests(world));
describe.runIf(form === "long")("object storage switched on for a running stack", () => switchingTests(world));
