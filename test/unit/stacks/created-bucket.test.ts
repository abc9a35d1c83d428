import * as pulumi from "@pulumi/pulumi";
import { load } from "js-yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { named, S3, SHARDED } from "./object-storage-kit";
import { run, runAgain, type Recorded, type Run } from "./recorder";

/** The pipeline with a bucket that it makes. */
const STACK = {
  ...SHARDED,
  cluster: { kind: "eks", name: "metrics", region: "eu-west-1" },
  objectStorage: { type: "s3", region: "eu-central-1", create: {} },
} as const;
const PROVIDER = "arn:aws:iam::111122223333:oidc-provider/oidc.example.org/id/A";
const IRSA = { ...STACK, objectStorage: { ...STACK.objectStorage, create: { oidcProvider: PROVIDER } } };

const BUCKET = "scaled-prometheus-test-0a1b2c3d";
const ACCOUNTS = ["compactor", "prometheus", "ruler", "store"];

const ofKind = ({ resources }: Run, kind: string): readonly Recorded[] =>
  resources.filter(({ type }) => type.endsWith(`:${kind}`));

interface Statement {
  readonly Sid: string;
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: object;
}

const statements = ({ inputs }: Recorded): readonly Statement[] =>
  (JSON.parse(String(inputs["policy"])) as { Statement: Statement[] }).Statement;

/** The file in the Secret that all parts mount, out of Pulumi's mark of a secret. */
function storageFile(recorded: Run): unknown {
  const { stringData } = named(recorded, "Secret", "object-storage")?.inputs as {
    stringData: { value: Record<string, string> };
  };
  return load(Object.values(stringData.value)[0] ?? "");
}

function annotations(recorded: Run, account: string): Readonly<Record<string, unknown>> {
  const { metadata } = named(recorded, "ServiceAccount", account)?.inputs as {
    metadata: { annotations: Record<string, unknown> };
  };
  return metadata.annotations;
}

function egress(recorded: Run, policy: string): unknown {
  const { spec } = (named(recorded, "NetworkPolicy", policy)?.inputs ?? {}) as { spec?: { egress: unknown } };
  return spec?.egress;
}

describe("a bucket that the stack makes", () => {
  let recorded: Run;
  beforeAll(async () => {
    recorded = await run(STACK);
  });

  test("is protected, outlives the stack, and is encrypted under a key that does too", () => {
    for (const kind of ["s3/bucket:Bucket", "kms/key:Key"]) {
      expect(ofKind(recorded, kind), kind).toMatchObject([{ protect: true, retained: true }]);
    }
    const [encryption] = ofKind(recorded, "BucketServerSideEncryptionConfiguration");
    expect(encryption?.inputs["rules"]).toMatchObject([
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: "arn:aws:kms/key:Key:blocks" } },
    ]);
  });

  test("has its rights end at one folder, and only the Compactor deletes", () => {
    const policies = ofKind(recorded, "RolePolicy");
    expect(policies.map(({ name }) => name).sort()).toStrictEqual(
      ["compactor", "ruler", "sidecar", "store"].map((user) => `blocks-${user}-blocks`),
    );
    for (const policy of policies) {
      const found = statements(policy);
      const objects = found.find(({ Sid }) => Sid === "Objects");
      expect(objects?.Resource, policy.name).toMatch(/\/blocks\/\*$/);
      expect(found.find(({ Sid }) => Sid === "List")?.Condition).toStrictEqual({
        StringLike: { "s3:prefix": ["blocks", "blocks/*"] },
      });
      expect(objects?.Action.includes("s3:DeleteObject"), policy.name).toBe(policy.name.includes("compactor"));
    }
  });

  test("is what the one Secret names, without keys and in the folder of the roles", () => {
    expect(storageFile(recorded)).toStrictEqual({
      type: "S3",
      prefix: "blocks",
      config: {
        bucket: BUCKET,
        endpoint: "s3.eu-central-1.amazonaws.com",
        insecure: false,
        region: "eu-central-1",
      },
    });
  });

  test("is told by the outputs", async () => {
    const bucket = await new Promise((resolve) => pulumi.output(recorded.outputs.bucket).apply(resolve));
    expect(bucket).toBe(BUCKET);
    expect(recorded.outputs).toMatchObject({ storagePhase: "steady" });
  });

  test("is ready, with its roles, before the Secret, and the Secret before whoever uses it", () => {
    const secret = named(recorded, "StorageSecret", "object-storage");
    // Every setting of the bucket, and the roles.
    expect(secret?.dependsOn.filter((name) => name === "blocks")).toHaveLength(7);
    for (const [kind, name] of [
      ["Shard", "shard-0"],
      ["Shard", "shard-1"],
      ["Ruler", "ruler"],
      ["Compactor", "compactor"],
      ["StoreGateway", "store-ruler"],
    ] as const) {
      expect(named(recorded, kind, name)?.dependsOn, name).toContain("object-storage");
    }
  });

  test("plans the same things before anything is known", async () => {
    const planned = await runAgain(STACK, true);
    const list = ({ resources }: Run) => resources.map(({ type, name }) => `${type} ${name}`);
    expect(list(planned)).toStrictEqual(list(recorded));
    const nameOf = (each: Run) => named(each, "Secret", "object-storage")?.inputs["metadata"];
    expect(nameOf(planned)).toStrictEqual(nameOf(recorded));
  });

  test("may be given up where nothing else is protected either, and still outlives the stack", async () => {
    const open = await run({ ...STACK, deletionProtection: false });
    expect(ofKind(open, "s3/bucket:Bucket")).toMatchObject([{ protect: false, retained: true }]);
  });
});

/** The annotation by which EKS gives a pod its role, as the path that vitest reads. */
const ROLE = ["eks.amazonaws.com/role-arn"];

describe("who a part is to AWS", () => {
  test("with Pod Identity: one association each, no annotation, and the node's agent within reach", async () => {
    const recorded = await run(STACK);
    const associations = ofKind(recorded, "PodIdentityAssociation").map(({ inputs }) => inputs);
    expect(associations.map(({ serviceAccount }) => serviceAccount).sort()).toStrictEqual(ACCOUNTS);
    expect(associations.every(({ clusterName }) => clusterName === "metrics")).toBe(true);
    for (const account of ACCOUNTS) {
      expect(annotations(recorded, account)).not.toHaveProperty(ROLE);
      expect(egress(recorded, `${account}-to-bucket`)).toStrictEqual([{ ports: [{ protocol: "TCP", port: 443 }] }]);
      expect(egress(recorded, `${account}-to-pod-identity`)).toStrictEqual([
        {
          to: [{ ipBlock: { cidr: "169.254.170.23/32" } }, { ipBlock: { cidr: "fd00:ec2::23/128" } }],
          ports: [{ protocol: "TCP", port: 80 }],
        },
      ]);
    }
    expect(egress(recorded, "exporter-to-pod-identity")).toBeUndefined();
  });

  test("with IRSA: annotated service accounts, no association, and no agent", async () => {
    const recorded = await run(IRSA);
    expect(ofKind(recorded, "PodIdentityAssociation")).toStrictEqual([]);
    for (const account of ACCOUNTS) {
      const user = account === "prometheus" ? "sidecar" : account;
      expect(annotations(recorded, account)).toHaveProperty(ROLE, `arn:aws:iam/role:Role:blocks-${user}`);
      const trust = named(recorded, "Role", `blocks-${user}`)?.inputs["assumeRolePolicy"];
      expect(trust).toContain(`system:serviceaccount:scaled-prometheus:${account}"`);
      expect(egress(recorded, `${account}-to-bucket`)).toStrictEqual([{ ports: [{ protocol: "TCP", port: 443 }] }]);
    }
    expect(annotations(recorded, "exporter")).not.toHaveProperty(ROLE);
    expect(recorded.resources.filter(({ name }) => name.endsWith("-to-pod-identity"))).toStrictEqual([]);
  });
});

describe("a bucket that exists", () => {
  test("needs nothing of AWS, and any server is within reach", async () => {
    const recorded = await run({ ...SHARDED, objectStorage: S3 });
    expect(recorded.resources.filter(({ type }) => /^(aws|random|pulumi:providers:aws)/.test(type))).toStrictEqual([]);
    expect(egress(recorded, "store-to-bucket")).toStrictEqual([{}]);
    expect(storageFile(recorded)).not.toHaveProperty("prefix");
  });
});
