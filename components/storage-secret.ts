import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { Component } from "./kit/component";
import { ownLabels } from "./kit/labels";
import { STORAGE_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { withoutWaiting } from "./kit/waiting";
import { toYaml } from "./kit/yaml";

/** Thanos' object storage configuration, credentials included (https://thanos.io/tip/thanos/storage.md/). */
export interface StorageConfig {
  readonly type: "S3" | "SWIFT";
  readonly config: Readonly<Record<string, unknown>>;
  readonly prefix?: string;
}

/** Arguments of {@link StorageSecret}. */
export interface StorageSecretArgs {
  /** Name of the Secret; it changes with the configuration. */
  readonly name: string;
  /** Without `config.bucket` when the stack makes the bucket. */
  readonly config: StorageConfig;
  /** Name of the bucket that the stack makes; default: the configuration names one. */
  readonly createdBucket?: pulumi.Input<string>;
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
        stringData: pulumi.secret({ [STORAGE_PATHS.file]: content(args) }),
        immutable: true,
      },
      this.child(),
    );
    this.registerOutputs();
  }
}

function content({ config, createdBucket }: StorageSecretArgs): pulumi.Input<string> {
  if (createdBucket === undefined) return toYaml(config);
  return pulumi.output(createdBucket).apply((bucket) => toYaml({ ...config, config: { ...config.config, bucket } }));
}
