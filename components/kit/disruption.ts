import type { types } from "@pulumi/kubernetes";
import type { Labels } from "./labels";

/**
 * One pod at a time may be evicted, and a pod that is not ready anyway always. Only for parts with more than one replica:
 * on a single one it would block every drain of its node.
 */
export function disruptionBudget(selector: Labels): types.input.policy.v1.PodDisruptionBudgetSpec {
  return {
    maxUnavailable: 1,
    selector: { matchLabels: selector },
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  };
}
