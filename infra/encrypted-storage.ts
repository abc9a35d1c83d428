import type * as pulumi from "@pulumi/pulumi";
import { StorageClass } from "@pulumi/kubernetes/storage/v1/storageClass";
import { Component } from "../components/kit/component";
import { ownLabels } from "../components/kit/labels";
import { ENCRYPTED_STORAGE_CLASS } from "../model/cluster";

/** The StorageClass for samples: encrypted under the cluster's key, growable, in the zone of its pod, never deleted. */
export class EncryptedStorage extends Component {
  constructor(name: string, args: { readonly keyArn: pulumi.Input<string> }, options: pulumi.ComponentResourceOptions) {
    super("EncryptedStorage", name, options);
    new StorageClass(
      ENCRYPTED_STORAGE_CLASS,
      {
        metadata: { name: ENCRYPTED_STORAGE_CLASS, labels: ownLabels() },
        provisioner: "ebs.csi.aws.com",
        parameters: { encrypted: "true", kmsKeyId: args.keyArn, type: "gp3" },
        allowVolumeExpansion: true,
        reclaimPolicy: "Retain",
        volumeBindingMode: "WaitForFirstConsumer",
      },
      this.child(),
    );
    this.registerOutputs();
  }
}
