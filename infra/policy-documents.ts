/** IAM, key and bucket policies as plain data. Pure, so that tests and policy packs read what AWS gets. */

type Text = string | readonly string[];

/** One statement of a policy. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: Readonly<Record<string, Text>> | "*";
  readonly Action: Text;
  readonly Resource?: Text;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Text>>>>;
}

/** A policy document. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

function document(...statements: readonly Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** Text for an API of AWS: equal documents give equal text. */
export function policyText(policy: PolicyDocument): string {
  return JSON.stringify(policy);
}

/** Lets an AWS service assume a role. */
export function serviceTrust(service: string): PolicyDocument {
  return document({ Sid: "Service", Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" });
}

/** A service account of a cluster. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * Lets one service account of one cluster assume a role through EKS Pod Identity, whose session tags name who asks
 * (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html).
 */
export function podIdentityTrust(clusterArn: string, account: ServiceAccount): PolicyDocument {
  return document({
    Sid: "PodIdentity",
    Effect: "Allow",
    Principal: { Service: "pods.eks.amazonaws.com" },
    Action: ["sts:AssumeRole", "sts:TagSession"],
    Condition: {
      StringEquals: {
        "aws:RequestTag/eks-cluster-arn": clusterArn,
        "aws:RequestTag/kubernetes-namespace": account.namespace,
        "aws:RequestTag/kubernetes-service-account": account.serviceAccount,
      },
    },
  });
}

/** Lets one service account assume a role through the cluster's OpenID Connect provider (IRSA). */
export function irsaTrust(providerArn: string, account: ServiceAccount): PolicyDocument {
  const issuer = providerArn.slice(providerArn.indexOf(":oidc-provider/") + ":oidc-provider/".length);
  return document({
    Sid: "ServiceAccount",
    Effect: "Allow",
    Principal: { Federated: providerArn },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: {
      StringEquals: {
        [`${issuer}:aud`]: "sts.amazonaws.com",
        [`${issuer}:sub`]: `system:serviceaccount:${account.namespace}:${account.serviceAccount}`,
      },
    },
  });
}

const KEY_ADMINISTRATION = [
  "kms:CancelKeyDeletion",
  "kms:CreateAlias",
  "kms:DeleteAlias",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:DisableKeyRotation",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListGrants",
  "kms:ListKeyPolicies",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:RetireGrant",
  "kms:RevokeGrant",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateAlias",
  "kms:UpdateKeyDescription",
] as const;

const KEY_USE = [
  "kms:CreateGrant",
  "kms:Decrypt",
  "kms:Encrypt",
  "kms:GenerateDataKey",
  "kms:GenerateDataKeyWithoutPlaintext",
  "kms:ReEncryptFrom",
  "kms:ReEncryptTo",
] as const;

/**
 * Policy of a key: IAM of the account decides who administers and who uses it, and nobody outside the account does.
 * In a key policy, `Resource: "*"` is the key itself.
 * @param viaServices Services through which alone the key may be used, such as `s3.eu-west-1.amazonaws.com`.
 */
export function keyPolicy(account: { id: string; partition: string }, viaServices?: readonly string[]): PolicyDocument {
  const root = { AWS: `arn:${account.partition}:iam::${account.id}:root` };
  const via = viaServices === undefined ? {} : { "kms:ViaService": viaServices };
  return document(
    { Sid: "Administration", Effect: "Allow", Principal: root, Action: KEY_ADMINISTRATION, Resource: "*" },
    {
      Sid: "Use",
      Effect: "Allow",
      Principal: root,
      Action: KEY_USE,
      Resource: "*",
      Condition: { StringEquals: { "kms:CallerAccount": account.id, ...via } },
    },
  );
}

/** What the EBS CSI driver needs to make encrypted volumes with a key. */
export function volumeKeyUse(keyArn: string): PolicyDocument {
  return document(
    {
      Sid: "Grants",
      Effect: "Allow",
      Action: ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
      Resource: keyArn,
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
    {
      Sid: "Volumes",
      Effect: "Allow",
      Action: [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
      ],
      Resource: keyArn,
    },
  );
}

/** What the control plane needs to encrypt Secrets with a key. */
export function secretsKeyUse(keyArn: string): PolicyDocument {
  return document({
    Sid: "Secrets",
    Effect: "Allow",
    Action: ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"],
    Resource: keyArn,
  });
}

/** What a part may do with blocks in the bucket. */
export type BucketRight = "read" | "write" | "delete";

/** Where the blocks are. */
export interface BucketPrefix {
  readonly bucketArn: string;
  readonly keyArn: string;
  /** Folder of the bucket, without slashes at its ends. */
  readonly prefix: string;
}

/** Rights below one prefix of a bucket and nowhere else; `read` is List and Get, `write` is Put, `delete` is Delete. */
export function bucketAccess(place: BucketPrefix, rights: readonly BucketRight[]): PolicyDocument {
  const writes = rights.includes("write");
  const objects = [
    ...(rights.includes("delete") ? ["s3:DeleteObject"] : []),
    ...(rights.includes("read") ? ["s3:GetObject"] : []),
    ...(writes ? ["s3:PutObject"] : []),
  ];
  return document(
    {
      Sid: "List",
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: place.bucketArn,
      Condition: { StringLike: { "s3:prefix": [place.prefix, `${place.prefix}/*`] } },
    },
    { Sid: "Objects", Effect: "Allow", Action: objects, Resource: `${place.bucketArn}/${place.prefix}/*` },
    {
      Sid: "Key",
      Effect: "Allow",
      Action: ["kms:Decrypt", ...(writes ? ["kms:GenerateDataKey"] : [])],
      Resource: place.keyArn,
    },
  );
}

/** Policy of the bucket: TLS only, and nothing is written under another key. */
export function bucketPolicy(bucketArn: string, keyArn: string): PolicyDocument {
  return document(
    {
      Sid: "TlsOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [bucketArn, `${bucketArn}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
    {
      Sid: "OwnKeyOnly",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `${bucketArn}/*`,
      // An upload that names no key gets the bucket's default, which is this one; without "Null" it would be refused.
      Condition: {
        Null: { "s3:x-amz-server-side-encryption-aws-kms-key-id": "false" },
        StringNotEquals: { "s3:x-amz-server-side-encryption-aws-kms-key-id": keyArn },
      },
    },
  );
}
