import * as pulumi from "@pulumi/pulumi";
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup";
import { AccessEntry } from "@pulumi/aws/eks/accessEntry";
import { AccessPolicyAssociation } from "@pulumi/aws/eks/accessPolicyAssociation";
import { Cluster } from "@pulumi/aws/eks/cluster";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule";
import { Component } from "../components/kit/component";
import type { Account } from "./aws-provider";
import { policyText, secretsKeyUse, serviceTrust } from "./policy-documents";
import { ServiceRole } from "./service-role";

/** Everything that a control plane can log. */
const LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/** Arguments of {@link EksCluster}. */
export interface EksClusterArgs {
  /** Name of the cluster. */
  readonly clusterName: string;
  /** Kubernetes version, such as `1.35`. */
  readonly version: string;
  readonly vpcId: string;
  /** Private subnets in at least two zones. */
  readonly subnetIds: readonly string[];
  readonly endpoint: {
    /** Reachable from outside the VPC too, for `publicCidrs` only. */
    readonly public: boolean;
    readonly publicCidrs: readonly string[];
    /** Networks that reach the endpoint inside the VPC, besides the nodes. */
    readonly privateCidrs: readonly string[];
  };
  /** Roles and users with the whole cluster, besides the one that makes it. */
  readonly administrators: readonly string[];
  readonly logRetentionDays: number;
  readonly account: Account;
  /** Key of the cluster's Secrets. */
  readonly keyArn: pulumi.Input<string>;
  /** Refuse to delete or replace the cluster. */
  readonly isProtected: boolean;
}

/** The control plane: private endpoint, Secrets under a key of one's own, all logs, access by IAM entries alone. */
export class EksCluster extends Component {
  readonly cluster: Cluster;

  constructor(name: string, args: EksClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("EksCluster", name, options);
    const { clusterName } = args;
    const role = new ServiceRole(
      `${name}-control-plane`,
      {
        description: `Control plane of EKS cluster ${clusterName}`,
        trust: policyText(serviceTrust("eks.amazonaws.com")),
        managedPolicies: ["AmazonEKSClusterPolicy"],
        policies: { secrets: pulumi.output(args.keyArn).apply((arn) => policyText(secretsKeyUse(arn))) },
        partition: args.account.partition,
      },
      { parent: this },
    );
    // Made first, else EKS makes it without an end to its retention.
    const logs = new LogGroup(
      name,
      { name: `/aws/eks/${clusterName}/cluster`, retentionInDays: args.logRetentionDays },
      this.child(),
    );
    this.cluster = new Cluster(
      name,
      {
        name: clusterName,
        version: args.version,
        roleArn: role.arn,
        accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
        // The add-ons are resources of their own, so that their versions and settings are managed.
        bootstrapSelfManagedAddons: false,
        deletionProtection: args.isProtected,
        enabledClusterLogTypes: LOG_TYPES,
        encryptionConfig: { provider: { keyArn: args.keyArn }, resources: ["secrets"] },
        // Extended support costs six times as much; it has to be chosen, not slipped into.
        upgradePolicy: { supportType: "STANDARD" },
        vpcConfig: {
          subnetIds: [...args.subnetIds],
          securityGroupIds: [this.endpointGroup(name, args).id],
          endpointPrivateAccess: true,
          endpointPublicAccess: args.endpoint.public,
          ...(args.endpoint.public ? { publicAccessCidrs: [...args.endpoint.publicCidrs] } : {}),
        },
      },
      this.child({ dependsOn: [...role.policies, logs], protect: args.isProtected }),
    );
    for (const principal of args.administrators) this.administrator(name, principal, args.account);
    this.registerOutputs();
  }

  /** Who reaches the endpoint inside the VPC; nodes do by the group that EKS makes. */
  private endpointGroup(name: string, args: EksClusterArgs): SecurityGroup {
    const group = new SecurityGroup(
      `${name}-endpoint`,
      { description: `API endpoint of EKS cluster ${args.clusterName}`, vpcId: args.vpcId },
      this.child(),
    );
    for (const cidr of args.endpoint.privateCidrs) {
      new SecurityGroupIngressRule(
        `${name}-endpoint-${cidr}`,
        {
          securityGroupId: group.id,
          description: "Kubernetes API",
          cidrIpv4: cidr,
          ipProtocol: "tcp",
          fromPort: 443,
          toPort: 443,
        },
        this.child(),
      );
    }
    return group;
  }

  private administrator(name: string, principal: string, account: Account): void {
    // Account, kind and name: an ARN would put `::` into the URN, where it separates parts.
    const resource = `${name}-${principal.split(":").slice(4).join("-")}`;
    const entry = new AccessEntry(resource, { clusterName: this.cluster.name, principalArn: principal }, this.child());
    new AccessPolicyAssociation(
      resource,
      {
        clusterName: this.cluster.name,
        principalArn: entry.principalArn,
        policyArn: pulumi.interpolate`arn:${account.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`,
        accessScope: { type: "cluster" },
      },
      this.child(),
    );
  }
}
