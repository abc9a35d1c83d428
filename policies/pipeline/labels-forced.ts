import { PIPELINE_LABELS } from "../../model/names";
import { externalLabels, prometheusConfigs } from "../kit/pipeline";
import { at, items } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** The last metric_relabel rules of every job put cluster and shard on, and honor_labels is off: no target may claim another shard. */
export const labelsForced = stackPolicy(
  {
    name: "labels-forced",
    description:
      "The last metric_relabel rules of every job put cluster and shard on, and honor_labels is off: no target may claim another shard.",
    severity: "critical",
    remediation: "leave the jobs to stacks/prometheus-plan.ts",
    url: "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config",
  },
  (resources) =>
    prometheusConfigs(resources).flatMap(({ workload, config }) => {
      const labels = externalLabels(config);
      return items(at(config, "scrape_configs")).flatMap((job) => {
        const last = items(at(job, "metric_relabel_configs")).slice(-2);
        const unforced = [PIPELINE_LABELS.cluster, PIPELINE_LABELS.shard].filter(
          (label) =>
            !last.some(
              (rule) =>
                at(rule, "action") === "replace" &&
                at(rule, "target_label") === label &&
                at(rule, "replacement") === labels[label] &&
                at(rule, "source_labels") === undefined,
            ),
        );
        const problems = [
          ...unforced.map((label) => `does not force ${label} last`),
          ...(at(job, "honor_labels") === true ? ["honors the target's labels"] : []),
        ];
        return problems.map((message) => ({
          message: `job ${String(at(job, "job_name"))} of ${workload.name} ${message}`,
          urn: workload.resource.urn,
        }));
      });
    }),
);
