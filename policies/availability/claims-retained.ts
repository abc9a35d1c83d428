import { at, items } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

/** The claims of a StatefulSet outlive it. */
export const claimsRetained = resourcePolicy(
  {
    name: "claims-retained",
    description: "The claims of a StatefulSet outlive it.",
    severity: "critical",
    remediation: "set persistentVolumeClaimRetentionPolicy to {whenDeleted: Retain, whenScaled: Retain}",
    url: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention",
    types: ["kubernetes:apps/v1:StatefulSet"],
  },
  ({ props }) => {
    const spec = at(props, "spec");
    if (items(at(spec, "volumeClaimTemplates")).length === 0) return [];
    return ["whenDeleted", "whenScaled"].flatMap((key) =>
      at(spec, "persistentVolumeClaimRetentionPolicy", key) === "Retain" ? [] : [`${key} is not Retain`],
    );
  },
);
