import * as pulumi from "@pulumi/pulumi";
import { Addon } from "@pulumi/aws/eks/addon";
import type { Cluster } from "@pulumi/aws/eks/cluster";
import { Component } from "../components/kit/component";
import type { Account } from "./aws-provider";
import { podIdentityTrust, policyText, volumeKeyUse } from "./policy-documents";
import { ServiceRole, type ServiceRoleArgs } from "./service-role";

/** An add-on of EKS; AWS keeps it in its place, in the default version for the cluster's. */
interface AddonArgs {
  readonly addon: string;
  /** Settings by the add-on's own schema. */
  readonly settings?: object;
  readonly identity?: { readonly serviceAccount: string; readonly role: ServiceRole };
}

/** Arguments of {@link EksAddons}. */
export interface EksAddonsArgs {
  readonly cluster: Cluster;
  readonly account: Account;
}

/** What add-ons share: the role of a service account in `kube-system`, and the add-on itself. */
abstract class Addons extends Component {
  protected role(
    name: string,
    serviceAccount: string,
    args: EksAddonsArgs,
    rights: Pick<ServiceRoleArgs, "description" | "managedPolicies" | "policies">,
  ): ServiceRole {
    const trust = args.cluster.arn.apply((arn) =>
      policyText(podIdentityTrust(arn, { namespace: "kube-system", serviceAccount })),
    );
    return new ServiceRole(name, { ...rights, trust, partition: args.account.partition }, { parent: this });
  }

  protected addon(cluster: Cluster, args: AddonArgs): Addon {
    const { addon, settings, identity } = args;
    return new Addon(
      addon,
      {
        clusterName: cluster.name,
        addonName: addon,
        ...(settings === undefined ? {} : { configurationValues: JSON.stringify(settings) }),
        ...(identity === undefined
          ? {}
          : {
              podIdentityAssociations: [{ roleArn: identity.role.arn, serviceAccount: identity.serviceAccount }],
            }),
        resolveConflictsOnCreate: "OVERWRITE",
        resolveConflictsOnUpdate: "OVERWRITE",
      },
      this.child(identity === undefined ? {} : { dependsOn: [...identity.role.policies] }),
    );
  }
}

/** What nodes need to become ready: pod network with NetworkPolicies enforced, Service network, Pod Identity. */
export class EksNodeAddons extends Addons {
  constructor(name: string, args: EksAddonsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("EksNodeAddons", name, options);
    const role = this.role("pod-network", "aws-node", args, {
      description: "Addresses of pods",
      managedPolicies: ["AmazonEKS_CNI_Policy"],
    });
    this.addon(args.cluster, { addon: "eks-pod-identity-agent" });
    this.addon(args.cluster, { addon: "kube-proxy" });
    this.addon(args.cluster, {
      addon: "vpc-cni",
      settings: { enableNetworkPolicy: "true" },
      identity: { serviceAccount: "aws-node", role },
    });
    this.registerOutputs();
  }
}

/** What runs on the nodes: DNS, and volumes under the cluster's key. */
export class EksPodAddons extends Addons {
  constructor(
    name: string,
    args: EksAddonsArgs & { readonly keyArn: pulumi.Output<string> },
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super("EksPodAddons", name, options);
    const role = this.role("volumes", "ebs-csi-controller-sa", args, {
      description: "Volumes of pods",
      managedPolicies: ["service-role/AmazonEBSCSIDriverPolicy"],
      policies: { key: args.keyArn.apply((arn) => policyText(volumeKeyUse(arn))) },
    });
    this.addon(args.cluster, { addon: "coredns" });
    this.addon(args.cluster, {
      addon: "aws-ebs-csi-driver",
      identity: { serviceAccount: "ebs-csi-controller-sa", role },
    });
    this.registerOutputs();
  }
}
