import { PIPELINE_LABELS } from "../../model/names";
import { isSharded, partsNamed, prometheusConfigs, replicaOf, ruleGroups } from "../kit/pipeline";
import { at } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** With Thanos, a shard's Prometheus evaluates only generated recording rules that carry its shard label: it sees a part of the series. */
export const shardsHaveShardRulesOnly = stackPolicy(
  {
    name: "shards-have-shard-rules-only",
    description:
      "With Thanos, a shard's Prometheus evaluates only generated recording rules that carry its shard label: it sees a part of the series.",
    severity: "critical",
    remediation: "give tenants' rules to the Ruler; a rule annotated as sharded is split by the program",
    url: "https://thanos.io/tip/components/rule.md/",
  },
  (resources) => {
    if (!isSharded(resources)) return [];
    return [
      ...prometheusConfigs(resources)
        .filter(({ config }) => at(config, "alerting") !== undefined)
        .map(({ workload }) => ({ message: `${workload.name} sends alerts itself`, urn: workload.resource.urn })),
      ...partsNamed(resources, "prometheus").flatMap((workload) =>
        ruleGroups(resources, workload).flatMap(({ file, rules }) =>
          rules.flatMap((rule) => {
            const shard = at(rule, "labels", PIPELINE_LABELS.shard);
            const name = String(at(rule, "record") ?? at(rule, "alert"));
            if (at(rule, "record") !== undefined && shard === replicaOf(workload)?.shard) return [];
            const message = `${workload.name} evaluates ${name} of ${file.file}, which is no rule of its shard`;
            return [{ message, urn: workload.resource.urn }];
          }),
        ),
      ),
    ];
  },
);
