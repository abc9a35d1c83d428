import { describe, expect, test } from "vitest";
import { parseStackConfig } from "../../../tools/stack-config";
import { deployedPhase, isLocalInBucket, shardsNotInBucket } from "../../../tools/storage-phase";

const hour = 3_600_000;
const now = 1_000 * hour;
/** With a local retention of six hours. */
const cut = now - 6 * hour;
const shard = { name: "shard-0", store: "store-shard-0", sidecars: ["sidecar-shard-0-a"] };
const sidecar = (minTime: number) => ({ name: "sidecar-shard-0-a.ns.svc:10901", minTime, maxTime: now });
const store = (minTime: number, maxTime: number) => ({ name: "store-shard-0.ns.svc:10901", minTime, maxTime });

describe("what of a shard is in the bucket", () => {
  test.each([
    ["all of it", [sidecar(now - 100 * hour), store(now - 200 * hour, now - 3 * hour)], []],
    ["not the oldest", [sidecar(now - 100 * hour), store(now - 99 * hour, now - 3 * hour)], ["shard-0"]],
    ["not the newest", [sidecar(now - 100 * hour), store(now - 200 * hour, now - 9 * hour)], ["shard-0"]],
    ["nothing yet, and nothing to upload", [sidecar(now - hour), store(Infinity, -Infinity)], []],
    ["no Store Gateway", [sidecar(now - 100 * hour)], ["shard-0"]],
    ["no sidecar", [store(0, now)], ["shard-0"]],
  ])("%s", (_what, endpoints, missing) => {
    expect(shardsNotInBucket([shard], endpoints, cut)).toStrictEqual(missing);
  });

  test("shard 1 is not shard 10", () => {
    const ten = { name: "store-shard-10.ns.svc:10901", minTime: 0, maxTime: now };
    const one = { ...shard, name: "shard-1", store: "store-shard-1" };
    expect(shardsNotInBucket([one], [sidecar(now - 100 * hour), ten], cut)).toStrictEqual(["shard-1"]);
  });
});

describe("phases", () => {
  test.each([
    [{}, undefined],
    [{ namespace: "x" }, "off"],
    [{ namespace: "x", storagePhase: null }, "off"],
    [{ namespace: "x", storagePhase: "backlog" }, "backlog"],
  ])("of outputs %j", (outputs, phase) => {
    expect(deployedPhase(outputs)).toBe(phase);
  });

  test.each([
    ["config: {}", "off"],
    ["config:\n  scaled-prometheus:objectStorage: {type: s3}", "steady"],
    ["config:\n  scaled-prometheus:objectStorage: {type: s3, phase: shrunk}", "shrunk"],
  ])("of a stack file: %s", (text, phase) => {
    expect(parseStackConfig(text, "Pulumi.x.yaml").storagePhase).toBe(phase);
  });

  test.each([
    ["", 48],
    ["scaled-prometheus:retention: {single: 6h}", 6],
    ["scaled-prometheus:retention: {single: 6h, sharded: 9d}", 48],
    ["scaled-prometheus:retention: {sharded: 9d, local: 12h}", 12],
  ])("local retention of %j", (line, hours) => {
    expect(parseStackConfig(`config:\n  a:b: c\n  ${line}`, "Pulumi.x.yaml").localRetention).toBe(hours * hour);
  });

  test("retired shards are read in both forms", () => {
    const text = "config:\n  scaled-prometheus:retiredShards: [4, {shard: 5, local: false}]";
    expect(parseStackConfig(text, "Pulumi.x.yaml").retiredShards).toStrictEqual([4, 5]);
  });
});

describe("what local disks forget is in the bucket", () => {
  const never = () => {
    throw new Error("nobody is asked");
  };

  test.each([
    ["steady", "shrunk", true],
    ["steady", "steady", false],
    ["shrunk", "steady", false],
    ["backlog", "steady", false],
    [null, "off", false],
  ] as const)("after %s, in %s: %s", async (storagePhase, wanted, expected) => {
    const config = { storagePhase: wanted, localRetention: 2 * 24 * hour };
    expect(await isLocalInBucket({ namespace: "x", storagePhase }, config, never)).toBe(expected);
  });
});
