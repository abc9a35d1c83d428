import type { EchoPackage, EchoType, Made, Properties } from "./provider";

/** A made-up account, from AWS' own documentation. */
const ACCOUNT = "111122223333";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

function arn(service: string, resource: string, region = "eu-west-1"): string {
  return `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
}

const CERTIFICATE = Buffer.from("a certificate authority").toString("base64");

function uuid({ hash }: Made): string {
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20)].join("-");
}

function eks(name: string, { hash }: Made): Properties {
  return {
    arn: arn("eks", `cluster/${name}`),
    endpoint: `https://${hash.slice(0, 16).toUpperCase()}.gr7.eu-west-1.eks.amazonaws.com`,
    certificateAuthority: { data: CERTIFICATE },
    identities: [{ oidcs: [{ issuer: `https://oidc.eks.eu-west-1.amazonaws.com/id/${hash.slice(0, 16)}` }] }],
  };
}

/** Part of a bucket's settings: one for each bucket, so only another bucket replaces it. */
const ofBucket = (...required: readonly string[]): EchoType => ({
  required: ["bucket", ...required],
  replaces: ["bucket"],
  id: ({ bucket }) => text(bucket),
});

/**
 * The types that this project uses. What replaces a resource is `ForceNew` of terraform-provider-aws 6, on which
 * Pulumi's provider 7 is built: "Changing this creates a new resource" in its documentation.
 */
const TYPES: Readonly<Record<string, EchoType>> = {
  "aws:cloudwatch/logGroup:LogGroup": {
    replaces: ["name", "namePrefix"],
    autoname: "name",
    computed: ({ name }) => ({ arn: arn("logs", `log-group:${text(name)}`) }),
  },
  "aws:ec2/launchTemplate:LaunchTemplate": {
    replaces: ["name", "namePrefix"],
    autoname: "name",
    id: (_, { hash }) => `lt-0${hash.slice(0, 16)}`,
    computed: (_, { hash }) => ({ arn: arn("ec2", `launch-template/lt-0${hash.slice(0, 16)}`), latestVersion: 1 }),
  },
  "aws:ec2/securityGroup:SecurityGroup": {
    replaces: ["name", "namePrefix", "description", "vpcId"],
    autoname: "name",
    id: (_, { hash }) => `sg-0${hash.slice(0, 16)}`,
  },
  "aws:eks/accessEntry:AccessEntry": {
    required: ["clusterName", "principalArn"],
    replaces: ["clusterName", "principalArn", "type"],
  },
  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
    required: ["accessScope", "clusterName", "policyArn", "principalArn"],
    replaces: ["accessScope", "clusterName", "policyArn", "principalArn"],
  },
  "aws:eks/addon:Addon": {
    required: ["addonName", "clusterName"],
    replaces: ["addonName", "clusterName"],
    computed: ({ addonName }) => ({ addonVersion: "v1.0.0-eksbuild.1", arn: arn("eks", `addon/${text(addonName)}`) }),
  },
  "aws:eks/cluster:Cluster": {
    required: ["roleArn", "vpcConfig"],
    replaces: [
      "accessConfig.bootstrapClusterCreatorAdminPermissions",
      "bootstrapSelfManagedAddons",
      "encryptionConfig",
      "kubernetesNetworkConfig.ipFamily",
      "kubernetesNetworkConfig.serviceIpv4Cidr",
      "name",
      "outpostConfig",
      "roleArn",
    ],
    autoname: "name",
    id: ({ name }) => text(name),
    computed: ({ name }, made) => eks(text(name), made),
  },
  "aws:eks/nodeGroup:NodeGroup": {
    required: ["clusterName", "nodeRoleArn", "scalingConfig", "subnetIds"],
    replaces: [
      "amiType",
      "capacityType",
      "clusterName",
      "diskSize",
      "instanceTypes",
      "launchTemplate.id",
      "launchTemplate.name",
      "nodeGroupName",
      "nodeRoleArn",
      "subnetIds",
    ],
    autoname: "nodeGroupName",
  },
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": {
    required: ["clusterName", "namespace", "roleArn", "serviceAccount"],
    replaces: ["clusterName", "namespace", "serviceAccount"],
  },
  "aws:iam/role:Role": {
    required: ["assumeRolePolicy"],
    replaces: ["name", "namePrefix", "path"],
    autoname: "name",
    id: ({ name }) => text(name),
    computed: ({ name }) => ({ arn: `arn:aws:iam::${ACCOUNT}:role/${text(name)}` }),
  },
  "aws:iam/rolePolicy:RolePolicy": {
    required: ["policy", "role"],
    replaces: ["name", "namePrefix", "role"],
    autoname: "name",
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
    required: ["policyArn", "role"],
    replaces: ["policyArn", "role"],
  },
  "aws:kms/alias:Alias": {
    required: ["targetKeyId"],
    replaces: ["name", "namePrefix"],
    id: ({ name }) => text(name),
    computed: ({ name }) => ({ arn: arn("kms", text(name)) }),
  },
  "aws:kms/key:Key": {
    replaces: ["customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion"],
    id: (_, made) => uuid(made),
    computed: (_, made) => ({ arn: arn("kms", `key/${uuid(made)}`), keyId: uuid(made) }),
  },
  "aws:s3/bucket:Bucket": {
    replaces: ["bucket", "bucketPrefix", "objectLockEnabled"],
    autoname: "bucket",
    id: ({ bucket }) => text(bucket),
    computed: ({ bucket }) => ({ arn: `arn:aws:s3:::${text(bucket)}` }),
  },
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ofBucket(),
  "aws:s3/bucketLogging:BucketLogging": ofBucket("targetBucket", "targetPrefix"),
  "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ofBucket("rule"),
  "aws:s3/bucketPolicy:BucketPolicy": ofBucket("policy"),
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ofBucket(),
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ofBucket("rules"),
  "aws:s3/bucketVersioning:BucketVersioning": ofBucket("versioningConfiguration"),
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
    required: ["ipProtocol", "securityGroupId"],
    replaces: ["securityGroupId"],
    id: (_, { hash }) => `sgr-0${hash.slice(0, 16)}`,
  },
};

/** What this project uses of Pulumi's provider `aws`. */
export const awsPackage: EchoPackage = {
  version: "7.47.0",
  typeOf: (token) => TYPES[token],
  functions: {
    "aws:index/getCallerIdentity:getCallerIdentity": () => ({
      accountId: ACCOUNT,
      arn: `arn:aws:iam::${ACCOUNT}:user/echo`,
      id: ACCOUNT,
      userId: "ECHO",
    }),
    "aws:eks/getCluster:getCluster": ({ name }) => {
      const { certificateAuthority, ...rest } = eks(text(name), { name: text(name), hash: "0".repeat(32) });
      return { ...rest, id: text(name), name: text(name), certificateAuthorities: [certificateAuthority] };
    },
  },
};
