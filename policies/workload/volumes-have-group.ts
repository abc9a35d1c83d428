import { at, items } from "../kit/values";
import { podPolicy } from "../kit/workloads";

/** Pods with a claim set fsGroup: else a user who is not root can't write to a fresh volume. */
export const volumesHaveGroup = podPolicy(
  {
    name: "volumes-have-group",
    description: "Pods with a claim set fsGroup: else a user who is not root can't write to a fresh volume.",
    severity: "medium",
    remediation: "take the pod's security context from components/kit/security.ts",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  },
  ({ spec, pod }) => {
    const hasClaim =
      items(at(spec, "volumeClaimTemplates")).length > 0 ||
      items(at(pod, "volumes")).some((volume) => at(volume, "persistentVolumeClaim") !== undefined);
    return hasClaim && typeof at(pod, "securityContext", "fsGroup") !== "number"
      ? ["has a volume claim and no securityContext.fsGroup"]
      : [];
  },
);
