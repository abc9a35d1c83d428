import * as pulumi from "@pulumi/pulumi";
import { PodIdentityAssociation } from "@pulumi/aws/eks/podIdentityAssociation";
import { Component } from "../components/kit/component";
import type { Account } from "./aws-provider";
import type { EksIdentity } from "./eks-access";
import { bucketAccess, irsaTrust, podIdentityTrust, policyText, type BucketRight } from "./policy-documents";
import { ServiceRole } from "./service-role";

/** A part that works with the bucket; only the Compactor may delete. */
export const BUCKET_RIGHTS = {
  sidecar: ["read", "write"],
  ruler: ["read", "write"],
  store: ["read"],
  compactor: ["read", "write", "delete"],
} as const satisfies Record<string, readonly BucketRight[]>;

/** A part that works with the bucket. */
export type BucketUser = keyof typeof BUCKET_RIGHTS;

/** How pods prove to AWS who they are. */
export type WorkloadIdentity =
  | { readonly kind: "podIdentity"; readonly eks: EksIdentity }
  /** IRSA: `providerArn` is the IAM OpenID Connect provider of the cluster. */
  | { readonly kind: "irsa"; readonly providerArn: string };

/** Arguments of {@link BucketRoles}. */
export interface BucketRolesArgs {
  readonly namespace: string;
  /** Service account of every part that works with the bucket. */
  readonly serviceAccounts: Readonly<Partial<Record<BucketUser, string>>>;
  readonly bucketArn: pulumi.Input<string>;
  readonly keyArn: pulumi.Input<string>;
  /** Folder of the bucket that all rights end at. */
  readonly prefix: string;
  readonly identity: WorkloadIdentity;
  readonly account: Account;
}

/** Annotations of a Kubernetes object: plain keys, so that how many there are is known before an `up`. */
export type Annotations = Readonly<Record<string, pulumi.Input<string>>>;

/** One role for each part that works with the bucket, which one service account of one cluster may assume. */
export class BucketRoles extends Component {
  /** Annotations that the service accounts need, by the account's name; empty ones with Pod Identity. */
  readonly annotations: Readonly<Record<string, Annotations>>;

  constructor(name: string, args: BucketRolesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("BucketRoles", name, options);
    const users = Object.entries(args.serviceAccounts) as [BucketUser, string][];
    this.annotations = Object.fromEntries(
      users.map(([user, serviceAccount]) => [serviceAccount, this.role(`${name}-${user}`, user, serviceAccount, args)]),
    );
    this.registerOutputs();
  }

  private role(name: string, user: BucketUser, serviceAccount: string, args: BucketRolesArgs): Annotations {
    const { namespace, identity, prefix } = args;
    const who = { namespace, serviceAccount };
    const role = new ServiceRole(
      name,
      {
        description: `Blocks in object storage: ${user}`,
        trust:
          identity.kind === "irsa"
            ? policyText(irsaTrust(identity.providerArn, who))
            : identity.eks.arn.apply((arn) => policyText(podIdentityTrust(arn, who))),
        policies: {
          blocks: pulumi
            .all([args.bucketArn, args.keyArn])
            .apply(([bucketArn, keyArn]) =>
              policyText(bucketAccess({ bucketArn, keyArn, prefix }, BUCKET_RIGHTS[user])),
            ),
        },
        partition: args.account.partition,
      },
      { parent: this },
    );
    if (identity.kind === "irsa") return { "eks.amazonaws.com/role-arn": role.arn };
    new PodIdentityAssociation(
      name,
      // The cluster's region, which may be another one than the bucket's.
      { region: identity.eks.region, clusterName: identity.eks.name, namespace, serviceAccount, roleArn: role.arn },
      this.child({ dependsOn: [...role.policies] }),
    );
    return {};
  }
}
