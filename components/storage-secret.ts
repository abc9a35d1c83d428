import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { Component } from "./kit/component";
import { ownLabels } from "./kit/labels";
import { STORAGE_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { withoutWaiting } from "./kit/waiting";

/** Arguments of {@link StorageSecret}. */
export interface StorageSecretArgs {
  /** Name of the Secret; it changes with the content. */
  readonly name: string;
  /** Thanos' object storage configuration, credentials included. */
  readonly content: string;
}

/** Where the bucket is and how to get in: the one Secret that all parts of object storage mount. */
export class StorageSecret extends Component {
  constructor(
    platform: Platform,
    name: string,
    args: StorageSecretArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    super("StorageSecret", name, options);
    new core.Secret(
      name,
      {
        metadata: withoutWaiting({
          name: args.name,
          namespace: platform.namespace,
          labels: { ...platform.labels, ...ownLabels() },
        }),
        type: "Opaque",
        stringData: pulumi.secret({ [STORAGE_PATHS.file]: args.content }),
        immutable: true,
      },
      this.child(),
    );
    this.registerOutputs();
  }
}
