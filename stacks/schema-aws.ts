import { z } from "zod";
import * as kit from "./schema-kit";

/** Keys of the config schema that are about clusters and AWS. */

/** Name of an AWS region. */
export const AWS_REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

const region = () => kit.matching(AWS_REGION, "an AWS region, such as eu-west-1");

const eksName = () =>
  kit.matching(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
    "the name of an EKS cluster: 1 to 100 letters, digits, - or _, a letter or digit first",
  );

const cidrs = (what: string) =>
  z.array(kit.matching(/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/, "a network such as 10.0.0.0/16"), { error: what });

const CIDR_LIST = "a list of networks, such as [10.0.0.0/16]";

/** Value of the key `cluster`. */
export const clusterSchema = kit.object({
  kind: kit
    .oneOf("kubeconfig", "eks", "stack")
    .default("kubeconfig")
    .describe(
      "How the cluster is found: by a kubeconfig, by the name of an EKS cluster, or by a stack with `program: cluster`.",
    ),
  path: kit
    .text("a path to a kubeconfig file, not empty")
    .optional()
    .describe("Kubeconfig file; default: KUBECONFIG. Kind `kubeconfig` only."),
  context: kit
    .text("the name of a context of the kubeconfig, not empty")
    .optional()
    .describe("Context of the kubeconfig; default: its current context. Kind `kubeconfig` only."),
  name: eksName().optional().describe("Name of the EKS cluster. Kind `eks` only, which needs it."),
  region: region().optional().describe("AWS region of the EKS cluster. Kind `eks` only, which needs it."),
  ref: kit
    .matching(
      /^([A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+\/)?[A-Za-z0-9_.-]+$/,
      "a stack: its name, or organization/project/stack for one of another project",
    )
    .optional()
    .describe("Stack that made the cluster. Kind `stack` only, which needs it."),
});

/** Value of the key `eks`. */
export const eksSchema = kit.object({
  name: eksName().describe("Name of the cluster."),
  region: region().describe("AWS region."),
  version: kit
    .matching(/^1\.(3\d|[4-9]\d)$/, 'a Kubernetes version from 1.30 on, in quotes, such as "1.35"')
    .default("1.35")
    .describe("Kubernetes version. EKS upgrades one minor version at a time and never goes back."),
  vpcId: kit.matching(/^vpc-[0-9a-f]{8,17}$/, "the id of a VPC, such as vpc-0a1b2c3d4e5f60718").describe("VPC."),
  subnetIds: z
    .array(kit.matching(/^subnet-[0-9a-f]{8,17}$/, "the id of a subnet, such as subnet-0a1b2c3d4e5f60718"), {
      error: "a list of at least two subnets",
    })
    .min(2, { error: "a list of at least two subnets" })
    .describe(
      "Private subnets of the VPC with a way out (NAT or endpoints), each in another zone: one node group each.",
    ),
  endpoint: kit
    .object({
      public: kit.flag().default(false).describe("Whether the API is reachable from outside the VPC, by publicCidrs."),
      publicCidrs: cidrs(CIDR_LIST).default([]).describe("Networks outside the VPC that reach the API."),
      privateCidrs: cidrs(CIDR_LIST)
        .default([])
        .describe("Networks inside, or peered with, the VPC that reach the API: where Pulumi and kubectl run."),
    })
    .prefault({})
    .describe("The API endpoint; always reachable from the nodes."),
  nodes: kit
    .object({
      instanceTypes: z
        .array(kit.matching(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, "an instance type such as m7i.2xlarge"), {
          error: "a list of x86-64 instance types",
        })
        .min(1, { error: "a list of x86-64 instance types" })
        .default(["m7i.2xlarge"])
        .describe("Instance types of the nodes, x86-64."),
      perSubnet: kit.wholeNumber(1, 100).default(1).describe("Nodes in each subnet."),
      diskSize: kit.memory("20Gi", "16Ti").default("100Gi").describe("Root volume of a node: images and logs."),
    })
    .prefault({})
    .describe("Managed nodes."),
  administrators: z
    .array(
      kit.matching(
        /^arn:aws(-[a-z]+)*:iam::\d{12}:(role|user)\/.+$/,
        "the ARN of an IAM role or user, such as arn:aws:iam::111122223333:role/operators",
      ),
      { error: "a list of ARNs of IAM roles or users" },
    )
    .default([])
    .describe("Roles and users that administer the cluster, besides the one that creates it."),
  logRetentionDays: z
    .literal([30, 60, 90, 120, 180, 365, 400, 545, 731], {
      error: "one of 30, 60, 90, 120, 180, 365, 400, 545, 731",
    })
    .default(90)
    .describe("How long the control plane's logs are kept."),
});

/**
 * Value of the key `create` below `objectStorage` of type s3: the bucket is made by this stack. The bucket's name gets a
 * random end, because names of buckets are unique in the world and a bucket outlives its stack.
 */
export const createdBucketSchema = kit.object({
  restorableDays: kit
    .wholeNumber(1, 3_650)
    .default(14)
    .describe("Days in which a block that was deleted or overwritten can be restored from its old version."),
  accessLogs: kit
    .object({
      bucket: kit
        .matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "the name of a bucket")
        .describe("Bucket for the logs."),
      prefix: kit.text("a prefix such as s3/blocks/, not empty").describe("Start of the logs' names."),
    })
    .optional()
    .describe("Where S3 logs every access; default: nowhere."),
  oidcProvider: kit
    .matching(
      /^arn:aws(-[a-z]+)*:iam::\d{12}:oidc-provider\/.+$/,
      "the ARN of an IAM OpenID Connect provider, such as arn:aws:iam::111122223333:oidc-provider/oidc.example.org",
    )
    .optional()
    .describe(
      "OpenID Connect provider of the cluster, for roles by service account (IRSA); default: EKS Pod Identity, which " +
        "needs a cluster of kind `eks` or `stack`.",
    ),
});

/** The key `eks`, checked. */
export type EksConfig = z.output<typeof eksSchema>;
