import { PIPELINE_LABELS } from "../../model/names";
import { externalLabels, prometheusConfigs } from "../kit/pipeline";
import { stackPolicy } from "../kit/policy";

/** All TSDBs carry the same value of the label cluster. */
export const oneClusterLabel = stackPolicy(
  {
    name: "one-cluster-label",
    description: "All TSDBs carry the same value of the label cluster.",
    severity: "high",
    remediation: "take it from the stack's clusterLabel",
    url: "https://thanos.io/tip/thanos/storage.md/#external-labels",
  },
  (resources) => {
    const configs = prometheusConfigs(resources);
    const first = configs[0] === undefined ? undefined : externalLabels(configs[0].config)[PIPELINE_LABELS.cluster];
    return configs.flatMap(({ workload, config }) => {
      const value = externalLabels(config)[PIPELINE_LABELS.cluster];
      if (value === first) return [];
      return [
        { message: `${workload.name} says ${String(value)}, others ${String(first)}`, urn: workload.resource.urn },
      ];
    });
  },
);
