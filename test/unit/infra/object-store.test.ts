import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { bucketNamePart, createObjectStore, type ObjectStoreArgs } from "../../../infra/object-store";
import { s3Endpoint } from "../../../model/aws";

interface Made {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly retained: boolean;
  readonly isProtected: boolean;
}

const USERS = { sidecar: "prometheus", ruler: "ruler", store: "store", compactor: "compactor" };

const IRSA = {
  kind: "irsa",
  providerArn: "arn:aws:iam::111122223333:oidc-provider/oidc.example.org/id/A",
} as const;

/** Runs `createObjectStore` under mocks; gives what it registered and the annotations as plain values. */
async function make(change: Partial<ObjectStoreArgs> = {}): Promise<{
  readonly made: readonly Made[];
  readonly annotations: Readonly<Record<string, unknown>>;
}> {
  const inputs = new Map<string, Readonly<Record<string, unknown>>>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs: given }) => {
        const properties = given as Record<string, unknown>;
        inputs.set(`${type}::${name}`, properties);
        return { id: `${name}-id`, state: { arn: `arn:${type}:${name}`, hex: "0a1b2c3d", keyId: "k", ...properties } };
      },
      call: () => ({ accountId: "111122223333", arn: "arn:aws:iam::111122223333:user/u" }),
    },
    "scaled-prometheus",
    "prod",
  );
  const seen: Omit<Made, "inputs">[] = [];
  let annotations: Readonly<Record<string, unknown>> = {};
  await pulumi.runtime.runInPulumiStack(() => {
    pulumi.runtime.registerStackTransformation(({ type, name, opts }) => {
      const { retainOnDelete, protect } = opts as pulumi.CustomResourceOptions;
      seen.push({ type, name, retained: retainOnDelete === true, isProtected: protect === true });
      return undefined;
    });
    const eks = {
      name: pulumi.output("c"),
      arn: pulumi.output("arn:aws:eks:eu-central-1:111122223333:cluster/c"),
      region: pulumi.output("eu-central-1"),
    };
    const store = createObjectStore({
      region: "eu-west-1",
      namespace: "metrics",
      serviceAccounts: USERS,
      prefix: "main",
      restorableDays: 14,
      identity: { kind: "podIdentity", eks },
      isProtected: true,
      ...change,
    });
    pulumi.output(store.annotations).apply((value) => (annotations = value));
    return Promise.resolve({});
  });
  await pulumi.runtime.disconnect();
  const made = seen
    .map((each) => ({ ...each, inputs: inputs.get(`${each.type}::${each.name}`) ?? {} }))
    .filter(({ type }) => type.startsWith("aws:") || type.startsWith("random:"));
  return { made, annotations };
}

function only(made: readonly Made[], kind: string): Made {
  const found = made.filter(({ type }) => type.endsWith(`:${kind}`));
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${String(found.length)} of ${kind}`);
  return first;
}

describe("the bucket", () => {
  test("is private, encrypted, versioned and named uniquely", async () => {
    const { made } = await make();
    expect(only(made, "Bucket").inputs).toEqual({ bucket: "scaled-prometheus-prod-0a1b2c3d", forceDestroy: false });
    expect(only(made, "BucketPublicAccessBlock").inputs).toMatchObject({
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    expect(only(made, "BucketOwnershipControls").inputs).toMatchObject({
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    expect(only(made, "BucketVersioning").inputs).toMatchObject({ versioningConfiguration: { status: "Enabled" } });
    expect(only(made, "BucketServerSideEncryptionConfiguration").inputs).toMatchObject({
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "arn:aws:kms/key:Key:blocks" },
          bucketKeyEnabled: true,
        },
      ],
    });
    expect(only(made, "Key").inputs).toMatchObject({ enableKeyRotation: true });
  });

  test("no lifecycle rule expires a block that is current", async () => {
    const { made } = await make();
    const { rules } = only(made, "BucketLifecycleConfiguration").inputs;
    expect(rules).toHaveLength(2);
    expect(JSON.stringify(rules)).not.toMatch(/"expiration"|"transitions"/);
    expect(rules).toMatchObject([
      { noncurrentVersionExpiration: { noncurrentDays: 14 } },
      { abortIncompleteMultipartUpload: { daysAfterInitiation: 3 } },
    ]);
  });

  test("bucket and key are protected and outlive the stack", async () => {
    const { made } = await make();
    for (const kind of ["Bucket", "Key", "Alias"]) {
      expect(only(made, kind), kind).toMatchObject({ retained: true, isProtected: true });
    }
    const settings = made.filter(({ type }) => /:Bucket./.test(type));
    expect(settings.length).toBe(6);
    expect(settings.every(({ retained }) => retained)).toBe(true);
  });

  test("logs accesses only where it is told to", async () => {
    const { made } = await make({ accessLogs: { bucket: "logs", prefix: "s3/" } });
    expect(only(made, "BucketLogging").inputs).toMatchObject({ targetBucket: "logs", targetPrefix: "s3/" });
  });
});

describe("identity", () => {
  test("Pod Identity: one role and one association each, in the cluster's region", async () => {
    const { made, annotations } = await make();
    const associations = made.filter(({ type }) => type.endsWith(":PodIdentityAssociation"));
    expect(associations.map(({ inputs }) => inputs["serviceAccount"]).sort()).toEqual(Object.values(USERS).sort());
    expect(new Set(associations.map(({ inputs }) => inputs["region"]))).toEqual(new Set(["eu-central-1"]));
    expect(new Set(associations.map(({ inputs }) => inputs["roleArn"])).size).toBe(4);
    expect(annotations).toEqual({ prometheus: {}, ruler: {}, store: {}, compactor: {} });
  });

  test("IRSA: annotations for the service accounts, and no association", async () => {
    const { made, annotations } = await make({ identity: IRSA });
    expect(made.filter(({ type }) => type.endsWith(":PodIdentityAssociation"))).toEqual([]);
    expect(annotations["compactor"]).toEqual({
      "eks.amazonaws.com/role-arn": "arn:aws:iam/role:Role:blocks-compactor",
    });
  });
});

test("names and hosts", () => {
  expect(bucketNamePart("Team_A.prod--x")).toBe("team-a-prod-x");
  expect(s3Endpoint("eu-west-1")).toBe("s3.eu-west-1.amazonaws.com");
  expect(s3Endpoint("cn-north-1")).toBe("s3.cn-north-1.amazonaws.com.cn");
});
