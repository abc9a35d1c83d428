import type { types } from "@pulumi/kubernetes";
import { dataClaim, type ClaimArgs } from "./claim";
import type { selectorLabels } from "./labels";

/** What differs between the StatefulSets of the pipeline. */
export interface StatefulArgs {
  /** Default: 1. */
  readonly replicas?: number;
  /** The headless Service that gives the pods their names. */
  readonly serviceName: string;
  readonly selector: ReturnType<typeof selectorLabels>;
  /** The one volume of each pod. */
  readonly claim: ClaimArgs;
  readonly template: types.input.core.v1.PodTemplateSpec;
}

/** A StatefulSet whose claims outlive it, and whose repaired template rolls out over a broken pod. */
export function statefulSpec(args: StatefulArgs): types.input.apps.v1.StatefulSetSpec {
  return {
    replicas: args.replicas ?? 1,
    serviceName: args.serviceName,
    selector: { matchLabels: args.selector },
    // With OrderedReady a broken pod keeps a repaired template from rolling out (kubernetes#67250).
    podManagementPolicy: "Parallel",
    updateStrategy: { type: "RollingUpdate" },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    volumeClaimTemplates: [dataClaim(args.claim)],
    template: args.template,
  };
}
