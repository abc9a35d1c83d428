import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { ENCRYPTED_STORAGE_CLASS } from "../../../model/cluster";
import { ConfigError, parseConfig } from "../../../stacks/config";
import { createdBucketSchema } from "../../../stacks/schema-aws";

const EKS = {
  name: "metrics",
  region: "eu-west-1",
  vpcId: "vpc-0a1b2c3d4e5f60718",
  subnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
};

/** Path and rule of everything that is wrong. */
function problems(raw: Record<string, unknown>): readonly string[] {
  try {
    parseConfig(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.violations.map(({ path, rule }) => `${path}: ${rule}`);
    throw error;
  }
  return [];
}

function committed(stack: string): Record<string, unknown> {
  const file = load(readFileSync(join(__dirname, "../../..", `Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, unknown>;
  };
  return Object.fromEntries(
    Object.entries(file.config).map(([key, value]) => [
      key.replace("scaled-prometheus:", ""),
      value === "true" || value === "false" || /^\d+$/.test(String(value)) ? JSON.parse(String(value)) : value,
    ]),
  );
}

describe("the cluster of a pipeline", () => {
  test.each([
    [{}, { kind: "kubeconfig" }],
    [{ cluster: { context: "prod" } }, { kind: "kubeconfig", context: "prod" }],
    [
      { cluster: { kind: "eks", name: "c", region: "us-gov-west-1" } },
      { kind: "eks", name: "c", region: "us-gov-west-1" },
    ],
    [{ cluster: { kind: "stack", ref: "prod-cluster" } }, { kind: "stack", ref: "prod-cluster" }],
    [{ cluster: { kind: "stack", ref: "acme/clusters/eu" } }, { kind: "stack", ref: "acme/clusters/eu" }],
  ])("%j", (raw, expected) => {
    expect(parseConfig(raw).cluster).toEqual(expected);
  });

  test.each<[string, object, readonly RegExp[]]>([
    ["eks without its keys", { kind: "eks" }, [/^cluster\.name: needed/, /^cluster\.region: needed/]],
    ["a stack without ref", { kind: "stack" }, [/^cluster\.ref: needed when .*cluster\.kind is "stack"/]],
    ["keys of another kind", { kind: "stack", ref: "s", path: "x" }, [/^cluster\.path: belongs to kind "kubeconfig"/]],
    ["eks keys without the kind", { name: "c" }, [/^cluster\.name: belongs to kind "eks"; .* is "kubeconfig"/]],
    ["half a stack's name", { kind: "stack", ref: "a/b" }, [/^cluster\.ref: a stack: its name, or/]],
    ["no region", { kind: "eks", name: "c", region: "Ireland" }, [/^cluster\.region: an AWS region/]],
  ])("refuses %s", (_what, cluster, rules) => {
    const found = problems({ cluster });
    expect(found).toHaveLength(rules.length);
    rules.forEach((rule, index) => expect(found[index]).toMatch(rule));
  });
});

describe("a cluster that is made", () => {
  test("is private unless told otherwise", () => {
    const { eks } = parseConfig({ program: "cluster", eks: EKS });
    expect(eks).toMatchObject({ endpoint: { public: false, publicCidrs: [] }, administrators: [], version: "1.35" });
  });

  test.each<[string, Record<string, unknown>, readonly RegExp[]]>([
    ["no eks", { program: "cluster" }, [/^eks: needed when .*program is "cluster"/]],
    ["eks in a pipeline", { eks: EKS }, [/^eks: only for .*program "cluster"/]],
    ["keys of the pipeline", { program: "cluster", eks: EKS, storage: {} }, [/^storage: has no meaning when/]],
    [
      "the whole internet",
      { program: "cluster", eks: { ...EKS, endpoint: { public: true, publicCidrs: ["0.0.0.0/0"] } } },
      [/^eks\.endpoint\.publicCidrs\[0\]: not the whole internet/],
    ],
    [
      "a public endpoint for everybody",
      { program: "cluster", eks: { ...EKS, endpoint: { public: true } } },
      [/^eks\.endpoint\.publicCidrs: at least one network/],
    ],
    [
      "networks of an endpoint that is private",
      { program: "cluster", eks: { ...EKS, endpoint: { publicCidrs: ["198.51.100.0/24"] } } },
      [/^eks\.endpoint\.publicCidrs: has no effect/],
    ],
    [
      "one subnet",
      { program: "cluster", eks: { ...EKS, subnetIds: ["subnet-0a1b2c3d4e5f60711"] } },
      [/^eks\.subnetIds: a list of at least two subnets/],
    ],
    [
      "a subnet twice",
      { program: "cluster", eks: { ...EKS, subnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60711"] } },
      [/^eks\.subnetIds\[1\]: a subnet is listed once/],
    ],
    [
      "a version that YAML takes for a number",
      { program: "cluster", eks: { ...EKS, version: 1.35 } },
      [/^eks\.version: a Kubernetes version from 1\.30 on, in quotes/],
    ],
  ])("refuses %s", (_what, raw, rules) => {
    const found = problems(raw);
    expect(found).toHaveLength(rules.length);
    rules.forEach((rule, index) => expect(found[index]).toMatch(rule));
  });
});

describe("the stacks of production", () => {
  test("prod runs on the cluster of prod-cluster, on its encrypted volumes", () => {
    const prod = parseConfig(committed("prod"));
    expect(prod.cluster).toEqual({ kind: "stack", ref: "prod-cluster" });
    expect(prod.storage.className).toBe(ENCRYPTED_STORAGE_CLASS);
    expect(prod.deletionProtection).toBe(true);
  });

  test("prod-cluster makes one", () => {
    const made = parseConfig(committed("prod-cluster"));
    expect(made.program).toBe("cluster");
    expect(made.eks?.subnetIds).toHaveLength(3);
    expect(made.deletionProtection).toBe(true);
  });
});

test("a bucket that is made has defaults for everything", () => {
  expect(createdBucketSchema.parse({})).toEqual({ restorableDays: 14 });
});
