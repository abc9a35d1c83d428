import type * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { Component } from "./kit/component";
import { ownLabels, type Labels } from "./kit/labels";
import { withoutWaiting } from "./kit/waiting";

/** Arguments of {@link ServicesBundle}. */
export interface ServicesBundleArgs {
  readonly namespace: string;
  /** The user's own labels. */
  readonly labels: Labels;
  /** Name of the ConfigMap; it changes with the content. */
  readonly mapName: string;
  /** Files of the bundle by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Our own services as one JavaScript file in a content-named ConfigMap: a stock Node image runs it, no registry is needed. */
export class ServicesBundle extends Component {
  constructor(name: string, args: ServicesBundleArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("ServicesBundle", name, options);
    new core.ConfigMap(
      "services",
      {
        metadata: withoutWaiting({
          name: args.mapName,
          namespace: args.namespace,
          labels: { ...args.labels, ...ownLabels() },
        }),
        data: args.files,
        immutable: true,
      },
      this.child(),
    );
    this.registerOutputs();
  }
}
