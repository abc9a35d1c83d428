import type * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import type { PodComponent } from "../model/parts";
import { Component } from "./kit/component";
import { commonLabels, ownLabels, type Labels } from "./kit/labels";
import { RESTRICTED_NAMESPACE } from "./kit/security";
import { withoutWaiting } from "./kit/waiting";

/** Arguments of {@link Namespace}. */
export interface NamespaceArgs {
  /** Name of the namespace. */
  readonly namespace: string;
  /** Whether the namespace is made here; false: it exists. */
  readonly create: boolean;
  /** Refuse to delete or replace the namespace. */
  readonly isProtected: boolean;
  /** The user's own labels. */
  readonly labels: Labels;
  /** Parts that run here: each has a service account of its own, without a mounted token. */
  readonly components: readonly PodComponent[];
  /** More annotations of service accounts, by the name of the account: the role of a part (IRSA). */
  readonly annotations?: Readonly<Record<string, Readonly<Record<string, pulumi.Input<string>>>>>;
}

/** The namespace, under the `restricted` Pod Security Standard, and the service accounts of the parts in it. */
export class Namespace extends Component {
  constructor(name: string, args: NamespaceArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Namespace", name, options);
    const namespace = args.create
      ? [
          new core.Namespace(
            args.namespace,
            { metadata: { name: args.namespace, labels: { ...args.labels, ...ownLabels(), ...RESTRICTED_NAMESPACE } } },
            this.child({ protect: args.isProtected }),
          ),
        ]
      : [];
    for (const component of args.components) {
      new core.ServiceAccount(
        component,
        {
          metadata: withoutWaiting(
            { name: component, namespace: args.namespace, labels: commonLabels({ component }, args.labels) },
            args.annotations?.[component],
          ),
          automountServiceAccountToken: false,
        },
        this.child({ dependsOn: namespace }),
      );
    }
    this.registerOutputs();
  }
}
