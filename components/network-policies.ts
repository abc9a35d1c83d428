import type * as pulumi from "@pulumi/pulumi";
import * as networking from "@pulumi/kubernetes/networking/v1";
import type { Edge } from "../model/edges";
import { Component } from "./kit/component";
import { ownLabels, type Labels } from "./kit/labels";
import {
  denyPolicy,
  dnsPolicy,
  edgePolicies,
  type AllowedPeers,
  type NamedPolicy,
  type ReplicaId,
} from "./kit/network";
import { withoutWaiting } from "./kit/waiting";

/** Arguments of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  readonly namespace: string;
  /** The user's own labels. */
  readonly labels: Labels;
  /** Who talks to whom. */
  readonly edges: readonly Edge[];
  /** Replicas of shards that have the parts of edges within a replica. */
  readonly replicas: readonly ReplicaId[];
  /** Who may come from outside. */
  readonly allowed: AllowedPeers;
  /** The namespace holds nothing but the pipeline, so that everything in it is denied what no edge allows. */
  readonly ownsNamespace: boolean;
}

/**
 * Nothing but the listed edges. Allowing comes before denying, and denying goes before allowing, so that switching this on
 * or off, or changing an edge, interrupts nothing.
 */
export class NetworkPolicies extends Component {
  constructor(name: string, args: NetworkPoliciesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("NetworkPolicies", name, options);
    const allowing = networkPolicies(args).map((policy) => this.policy(policy, args));
    this.policy(denyPolicy(args.ownsNamespace ? {} : ownLabels()), args, allowing);
    this.registerOutputs();
  }

  private policy(
    { name, spec }: NamedPolicy,
    { namespace, labels }: NetworkPoliciesArgs,
    after: readonly pulumi.Resource[] = [],
  ): networking.NetworkPolicy {
    return new networking.NetworkPolicy(
      name,
      { metadata: withoutWaiting({ name, namespace, labels: { ...labels, ...ownLabels() } }), spec },
      this.child({ dependsOn: [...after] }),
    );
  }
}

/** What is allowed: DNS for all, and the edges. */
function networkPolicies({ edges, replicas, allowed }: NetworkPoliciesArgs): readonly NamedPolicy[] {
  return [
    dnsPolicy(),
    ...edges.flatMap((edge) =>
      edge.isWithinReplica === true
        ? replicas.flatMap((replica) => edgePolicies(edge, replica, allowed))
        : edgePolicies(edge, undefined, allowed),
    ),
  ];
}
