import type { types } from "@pulumi/kubernetes";
import { NAMES } from "../../model/names";

/** The volume of a StatefulSet. */
export interface ClaimArgs {
  /** Size, a Kubernetes quantity. */
  readonly storageSize: string;
  /** StorageClass; default: the cluster's. */
  readonly storageClassName?: string;
  /** Labels of the claims; default: none. A change replaces the StatefulSet. */
  readonly claimLabels?: Readonly<Record<string, string>>;
}

/** The claim template `data` of a StatefulSet. */
export function dataClaim(args: ClaimArgs): types.input.core.v1.PersistentVolumeClaim {
  return {
    metadata: {
      name: NAMES.claimTemplate,
      ...(args.claimLabels === undefined ? {} : { labels: args.claimLabels }),
    },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: args.storageSize } },
      ...(args.storageClassName === undefined ? {} : { storageClassName: args.storageClassName }),
    },
  };
}
