import { PIPELINE_LABELS } from "../../model/names";
import { externalLabels, prometheusConfigs, replicaOf, thanos } from "../kit/pipeline";
import { flags } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** `name="value"` as Thanos takes it. */
function pair(label: string): readonly [string, string] {
  const [name = "", ...rest] = label.split("=");
  // A pod's own name is one too: it differs between the replicas of one workload.
  return [name, rest.join("=").replace(/^"|"$/g, "")];
}

/** No two TSDBs have the same external labels, and every one names cluster, shard and replica. */
export const uniqueExternalLabels = stackPolicy(
  {
    name: "unique-external-labels",
    description: "No two TSDBs have the same external labels, and every one names cluster, shard and replica.",
    severity: "critical",
    remediation: "leave external_labels to stacks/prometheus-plan.ts",
    url: "https://thanos.io/tip/thanos/storage.md/#external-labels",
  },
  (resources) => {
    const owners = [
      ...prometheusConfigs(resources).map(({ workload, config }) => ({
        name: workload.name,
        urn: workload.resource.urn,
        id: replicaOf(workload),
        labels: externalLabels(config),
      })),
      ...thanos(resources, "rule").map(({ workload, container }) => ({
        name: workload.name,
        urn: workload.resource.urn,
        id: undefined,
        labels: Object.fromEntries(flags(container.args, "label").map((label) => pair(String(label)))),
      })),
    ];
    const texts = owners.map(({ labels }) => JSON.stringify(Object.entries(labels).sort()));
    return owners.flatMap(({ name, urn, id, labels }, index) => {
      const { cluster, shard, replica } = PIPELINE_LABELS;
      const missing = [cluster, shard, replica]
        .filter((label) => labels[label] === undefined || labels[label] === "")
        .map((label) => `has no external label ${label}`);
      const same = texts.indexOf(texts[index] ?? "");
      return [
        ...missing,
        ...(same === index ? [] : [`has the same external labels as ${owners[same]?.name ?? "another"}`]),
        ...(id === undefined || labels[shard] === id.shard
          ? []
          : [`is of shard ${id.shard} and says ${String(labels[shard])}`]),
        ...(id === undefined || labels[replica] === id.replica
          ? []
          : [`is replica ${id.replica} and says ${String(labels[replica])}`]),
      ].map((message) => ({ message: `${name} ${message}`, urn }));
    });
  },
);
