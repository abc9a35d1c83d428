import { thanos } from "../kit/pipeline";
import { flag } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

const FLAGS = [
  "query.partial-response",
  "rule.partial-response",
  "target.partial-response",
  "metric-metadata.partial-response",
  "exemplar.partial-response",
] as const;

/** Queriers never answer partially: a dead shard is an error, not a smaller number. */
export const noPartialResponse = stackPolicy(
  {
    name: "no-partial-response",
    description: "Queriers never answer partially: a dead shard is an error, not a smaller number.",
    severity: "critical",
    remediation: "set --no-query.partial-response and its twins, as stacks/topology.ts does",
    url: "https://thanos.io/tip/components/query.md/#partial-response",
  },
  (resources) =>
    thanos(resources, "query").flatMap(({ workload, container }) =>
      FLAGS.filter((name) => flag(container.args, name) !== false).map((name) => ({
        message: `${workload.name} is started without --no-${name}`,
        urn: workload.resource.urn,
      })),
    ),
);
