import { describe, expect, test } from "vitest";
import { BUCKET_RIGHTS, type BucketUser } from "../../../infra/bucket-roles";
import {
  bucketAccess,
  bucketPolicy,
  irsaTrust,
  keyPolicy,
  podIdentityTrust,
  secretsKeyUse,
  volumeKeyUse,
  type PolicyDocument,
} from "../../../infra/policy-documents";

const PLACE = { bucketArn: "arn:aws:s3:::blocks", keyArn: "arn:aws:kms:eu-west-1:111122223333:key/k", prefix: "main" };

function actions(document: PolicyDocument): readonly string[] {
  return document.Statement.flatMap(({ Action }) => Action).sort();
}

describe("rights in the bucket", () => {
  test.each<[BucketUser, readonly string[]]>([
    ["sidecar", ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]],
    ["ruler", ["s3:GetObject", "s3:ListBucket", "s3:PutObject"]],
    ["store", ["s3:GetObject", "s3:ListBucket"]],
    ["compactor", ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]],
  ])("%s", (user, expected) => {
    const found = actions(bucketAccess(PLACE, BUCKET_RIGHTS[user])).filter((action) => action.startsWith("s3:"));
    expect(found).toEqual(expected);
  });

  test("nobody gets more of the key than the objects need", () => {
    const keyActions = (user: BucketUser): readonly string[] =>
      actions(bucketAccess(PLACE, BUCKET_RIGHTS[user])).filter((action) => action.startsWith("kms:"));
    expect(keyActions("store")).toEqual(["kms:Decrypt"]);
    expect(keyActions("sidecar")).toEqual(["kms:Decrypt", "kms:GenerateDataKey"]);
  });

  test("end at the prefix", () => {
    const [list, objects] = bucketAccess(PLACE, ["read"]).Statement;
    expect(list?.Condition).toEqual({ StringLike: { "s3:prefix": ["main", "main/*"] } });
    expect(objects?.Resource).toBe("arn:aws:s3:::blocks/main/*");
  });
});

describe("no wildcard action", () => {
  const account = { id: "111122223333", partition: "aws" };
  test.each<[string, PolicyDocument]>([
    ["bucket", bucketAccess(PLACE, ["read", "write", "delete"])],
    ["key", keyPolicy(account)],
    ["volumes", volumeKeyUse(PLACE.keyArn)],
    ["secrets", secretsKeyUse(PLACE.keyArn)],
  ])("%s", (_name, document) => {
    expect(actions(document).filter((action) => action.includes("*"))).toEqual([]);
  });

  test("a key is for its own account, through the services that are named", () => {
    const use = keyPolicy(account, ["s3.eu-west-1.amazonaws.com"]).Statement[1];
    expect(use?.Principal).toEqual({ AWS: "arn:aws:iam::111122223333:root" });
    expect(use?.Condition).toEqual({
      StringEquals: { "kms:CallerAccount": "111122223333", "kms:ViaService": ["s3.eu-west-1.amazonaws.com"] },
    });
  });
});

describe("who may assume a role", () => {
  const who = { namespace: "metrics", serviceAccount: "compactor" };

  test("Pod Identity: one service account of one cluster", () => {
    const [statement] = podIdentityTrust("arn:aws:eks:eu-west-1:111122223333:cluster/c", who).Statement;
    expect(statement?.Principal).toEqual({ Service: "pods.eks.amazonaws.com" });
    expect(statement?.Condition).toEqual({
      StringEquals: {
        "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-west-1:111122223333:cluster/c",
        "aws:RequestTag/kubernetes-namespace": "metrics",
        "aws:RequestTag/kubernetes-service-account": "compactor",
      },
    });
  });

  test("IRSA: one service account, by the issuer's own name", () => {
    const issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABC";
    const [statement] = irsaTrust(`arn:aws:iam::111122223333:oidc-provider/${issuer}`, who).Statement;
    expect(statement?.Condition).toEqual({
      StringEquals: {
        [`${issuer}:aud`]: "sts.amazonaws.com",
        [`${issuer}:sub`]: "system:serviceaccount:metrics:compactor",
      },
    });
  });
});

test("the bucket refuses plain HTTP and other keys, and takes an upload that names no key", () => {
  const [tls, key] = bucketPolicy(PLACE.bucketArn, PLACE.keyArn).Statement;
  expect(tls).toMatchObject({ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } });
  const header = "s3:x-amz-server-side-encryption-aws-kms-key-id";
  expect(key).toMatchObject({
    Effect: "Deny",
    Condition: { Null: { [header]: "false" }, StringNotEquals: { [header]: PLACE.keyArn } },
  });
});
