import { describe, expect, test } from "vitest";
import { containerOf, named, S3, SHARDED } from "./object-storage-kit";
import { run } from "./recorder";

const stack = (phase: string) => run({ ...SHARDED, objectStorage: { ...S3, phase }, retention: { local: "12h" } });

describe("the Rulers with object storage", () => {
  test.each([
    ["empty-meta", false, "15d"],
    ["backlog", true, "15d"],
    ["steady", true, "15d"],
    ["shrunk", true, "12h"],
  ])("in phase %s", async (phase, uploads, retention) => {
    const { args, volumeMounts = [] } = containerOf(await stack(phase), "ruler", "ruler");
    expect(args.includes("--objstore.config-file=/etc/object-storage/object-storage.yaml")).toBe(uploads);
    expect(volumeMounts.some(({ name }) => name === "object-storage")).toBe(uploads);
    expect(args).toContain(`--tsdb.retention=${retention}`);
  });

  test("what they recorded has a Store Gateway of its own, which is asked as strictly as those of the shards", async () => {
    const recorded = await stack("steady");
    const { args } = containerOf(recorded, "store-ruler", "store");
    expect(args.find((arg) => arg.startsWith("--selector.relabel-config="))).toContain("regex: main;ruler");
    const { data } = named(recorded, "ConfigMap", "leaf-ruler-config")?.inputs as { data: Record<string, string> };
    expect(data["endpoints.yaml"]).toContain("store-ruler.scaled-prometheus.svc:10901\n    strict: true");
  });
});
