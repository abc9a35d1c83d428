import { PIPELINE_LABELS } from "../../model/names";
import { thanos } from "../kit/pipeline";
import { flag, flags } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** Parts that deduplicate, with the flag by which they learn of the replica label. */
const PARTS = [
  ["query", "query.replica-label"],
  ["compact", "deduplication.replica-label"],
] as const;

/** Every Thanos part that deduplicates knows the same replica label, and partitions by shard, which is no replica label. */
export const replicaLabelsConsistent = stackPolicy(
  {
    name: "replica-labels-consistent",
    description:
      "Every Thanos part that deduplicates knows the same replica label, and partitions by shard, which is no replica label.",
    severity: "critical",
    remediation: "take the labels from PIPELINE_LABELS in model/names.ts",
    url: "https://thanos.io/tip/components/query.md/#deduplication",
  },
  (resources) =>
    PARTS.flatMap(([subcommand, replicaFlag]) =>
      thanos(resources, subcommand).flatMap(({ workload, container }) => {
        const replicas = flags(container.args, replicaFlag);
        const partitions = flags(container.args, "query.partition-label");
        const { replica, shard } = PIPELINE_LABELS;
        const isDistributed = flag(container.args, "query.mode") === "distributed";
        const problems = [
          ...(replicas.length === 1 && replicas[0] === replica
            ? []
            : [`has --${replicaFlag} ${replicas.join(", ") || "missing"}, not ${replica}`]),
          // Without the flag every external label but the replica's is taken for one that tells leaves apart.
          ...(partitions.every((label) => label === shard) && (!isDistributed || partitions.length === 1)
            ? []
            : [`partitions by ${partitions.join(", ") || "every label"}, not ${shard}`]),
        ];
        return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
      }),
    ),
);
