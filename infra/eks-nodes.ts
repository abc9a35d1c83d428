import type * as pulumi from "@pulumi/pulumi";
import { LaunchTemplate } from "@pulumi/aws/ec2/launchTemplate";
import type { Cluster } from "@pulumi/aws/eks/cluster";
import { NodeGroup } from "@pulumi/aws/eks/nodeGroup";
import { Component } from "../components/kit/component";
import type { Account } from "./aws-provider";
import { policyText, serviceTrust } from "./policy-documents";
import { ServiceRole } from "./service-role";

/** Arguments of {@link EksNodes}. */
export interface EksNodesArgs {
  readonly cluster: Cluster;
  readonly clusterName: string;
  /** One node group for each. */
  readonly subnetIds: readonly string[];
  readonly instanceTypes: readonly string[];
  /** Nodes in each subnet. */
  readonly perSubnet: number;
  /** Root volume, GiB. */
  readonly diskGibibytes: number;
  readonly account: Account;
}

/**
 * Managed nodes: a group for each subnet, so that a zone with volumes always has nodes, which one group over all zones
 * does not promise.
 */
export class EksNodes extends Component {
  readonly groups: readonly pulumi.Resource[];

  constructor(name: string, args: EksNodesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("EksNodes", name, options);
    const role = new ServiceRole(
      `${name}-node`,
      {
        description: `Nodes of EKS cluster ${args.clusterName}`,
        trust: policyText(serviceTrust("ec2.amazonaws.com")),
        managedPolicies: ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"],
        partition: args.account.partition,
      },
      { parent: this },
    );
    const template = new LaunchTemplate(
      name,
      {
        description: `Nodes of EKS cluster ${args.clusterName}`,
        updateDefaultVersion: true,
        // One hop: pods can't reach the node's credentials.
        metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
        blockDeviceMappings: [
          {
            deviceName: "/dev/xvda",
            ebs: { volumeSize: args.diskGibibytes, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
          },
        ],
      },
      this.child(),
    );
    this.groups = args.subnetIds.map(
      (subnet) =>
        new NodeGroup(
          `${name}-${subnet}`,
          {
            clusterName: args.cluster.name,
            nodeRoleArn: role.arn,
            subnetIds: [subnet],
            instanceTypes: [...args.instanceTypes],
            amiType: "AL2023_x86_64_STANDARD",
            capacityType: "ON_DEMAND",
            launchTemplate: { id: template.id, version: template.latestVersion.apply((version) => String(version)) },
            scalingConfig: { desiredSize: args.perSubnet, minSize: args.perSubnet, maxSize: args.perSubnet },
            updateConfig: { maxUnavailable: 1 },
            nodeRepairConfig: { enabled: true },
          },
          this.child({ dependsOn: [...role.policies] }),
        ),
    );
    this.registerOutputs();
  }
}
