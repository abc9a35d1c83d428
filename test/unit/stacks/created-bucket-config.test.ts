import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "../../../stacks/config";
import { KEYS, SHARDED, SWIFT } from "./object-storage-kit";

const EKS = { kind: "eks", name: "metrics", region: "eu-west-1" } as const;
const S3 = { type: "s3", region: "eu-west-1" } as const;
const PROVIDER = "arn:aws:iam::111122223333:oidc-provider/oidc.example.org/id/A";

const key = (path: string): string => `scaled-prometheus:objectStorage.${path}`;

function violations(objectStorage: object, cluster: object = EKS): ConfigError["violations"] {
  try {
    parseConfig({ ...SHARDED, cluster, objectStorage });
  } catch (error) {
    if (error instanceof ConfigError) return error.violations;
    throw error;
  }
  return [];
}

describe("objectStorage.create", () => {
  test.each([
    ["Pod Identity on a cluster by its name", {}, EKS],
    ["Pod Identity on the cluster of a stack", {}, { kind: "stack", ref: "prod-cluster" }],
    ["IRSA on any cluster", { oidcProvider: PROVIDER }, { kind: "kubeconfig" }],
  ])("%s is enough", (_what, create, cluster) => {
    expect(violations({ ...S3, create }, cluster)).toStrictEqual([]);
  });

  test.each([
    [
      "a bucket that exists, too",
      { ...S3, bucket: "metrics", create: {} },
      "bucket",
      "metrics",
      `not together with ${key("create")}, which gives the bucket a name of its own: names of buckets are unique in the world`,
      "take objectStorage.bucket out, or objectStorage.create for a bucket that exists",
    ],
    [
      "a server",
      { ...S3, endpoint: "s3.example.org", create: {} },
      "endpoint",
      "s3.example.org",
      `not together with ${key("create")}, which makes the bucket in AWS S3, whose host follows from the region`,
      "take objectStorage.endpoint out, or objectStorage.create for a bucket that exists",
    ],
    [
      "another encryption",
      { ...S3, sse: { type: "SSE-S3" }, create: {} },
      "sse",
      { type: "SSE-S3" },
      `not together with ${key("create")}, which encrypts the bucket under a KMS key of its own, and refuses any other`,
      "take objectStorage.sse out, or objectStorage.create for a bucket that exists",
    ],
    [
      "plain HTTP",
      { ...S3, insecure: true, create: {} },
      "insecure",
      true,
      `not together with ${key("create")}, whose bucket refuses what comes without TLS`,
      "take objectStorage.insecure out",
    ],
    [
      "a region that is none of AWS",
      { ...S3, region: "here", create: {} },
      "region",
      "here",
      `an AWS region while ${key("create")} makes the bucket there`,
      "name one such as eu-west-1, best that of the cluster",
    ],
    [
      "no bucket at all",
      S3,
      "bucket",
      undefined,
      `needed without ${key("create")}`,
      "name a bucket that exists, or set objectStorage.create to {} for one that this stack makes in AWS",
    ],
  ])("refuses %s", (_what, objectStorage, path, value, rule, fix) => {
    expect(violations(objectStorage)).toStrictEqual([{ path: `objectStorage.${path}`, value, rule, fix }]);
  });

  test("refuses a cluster that nothing tells the identities of", () => {
    expect(violations({ ...S3, create: {} }, { kind: "kubeconfig" })).toStrictEqual([
      {
        path: "objectStorage.create.oidcProvider",
        value: undefined,
        rule:
          'needed while scaled-prometheus:cluster.kind is "kubeconfig": without it the parts\' roles go through EKS Pod ' +
          "Identity, which needs the name of an EKS cluster",
        fix: 'name the cluster\'s IAM OpenID Connect provider, or the cluster itself by cluster.kind "eks" or "stack"',
      },
    ]);
  });

  test("tells everything at once, and no secret", () => {
    const all = { ...S3, ...KEYS, region: "here", bucket: "metrics", insecure: true, create: {} };
    const found = violations(all, { kind: "kubeconfig" });
    expect(found.map(({ path }) => path).sort()).toStrictEqual(
      ["bucket", "create.oidcProvider", "credentials", "insecure", "region"].map((each) => `objectStorage.${each}`),
    );
    expect(new ConfigError(found).message).not.toContain(KEYS.credentials.secretKey);
  });

  test("is a key of S3 only", () => {
    expect(violations({ ...SWIFT, create: {} }).map(({ path }) => path)).toStrictEqual(["objectStorage.create"]);
  });

  test("what is parsed is accepted again, and stays as it is", () => {
    const config = parseConfig({ ...SHARDED, cluster: EKS, objectStorage: { ...S3, create: {} } });
    expect(config.objectStorage).toMatchObject({ create: { restorableDays: 14 } });
    expect(parseConfig({ ...config })).toStrictEqual(config);
  });
});
