import { selects } from "../kit/network";
import { partOf, replicaOf } from "../kit/pipeline";
import { at } from "../kit/values";
import { workloads, type Workload } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** What shares the work with a workload: replicas of a shard are workloads of their own. */
function teamOf(workload: Workload): string {
  const id = replicaOf(workload);
  return id === undefined ? workload.resource.urn : `${partOf(workload)} of shard ${id.shard}`;
}

/** What has more than one replica gives up one at a time, and what has one blocks no drain. */
export const disruptionBudgets = stackPolicy(
  {
    name: "disruption-budgets",
    description: "What has more than one replica gives up one at a time, and what has one blocks no drain.",
    severity: "medium",
    remediation: "take the budget from components/kit/disruption.ts when replicas > 1, and none otherwise",
    url: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
  },
  (resources) => {
    const budgets = resources.filter(({ type }) => type === "kubernetes:policy/v1:PodDisruptionBudget");
    const selectedBy = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) =>
      budgets.filter(({ props }) => selects(at(props, "spec", "selector"), labels));
    const all = workloads(resources).map((each) => ({
      ...each,
      team: teamOf(each),
      own: Number(at(each.spec, "replicas") ?? 1),
    }));
    const replicasOf = (team: string) => all.reduce((sum, each) => sum + (each.team === team ? each.own : 0), 0);
    return [
      ...all.flatMap(({ name, resource, team, labels }) => {
        const replicas = replicasOf(team);
        const own = selectedBy({ labels });
        if (replicas > 1 && own.length !== 1) {
          return [
            {
              message: `${name} has ${String(replicas)} replicas and ${String(own.length)} budgets`,
              urn: resource.urn,
            },
          ];
        }
        return replicas <= 1 && own.length > 0
          ? [{ message: `${name} has one replica and a budget, which blocks every drain`, urn: resource.urn }]
          : [];
      }),
      ...budgets.flatMap(({ urn, props }) => {
        const spec = at(props, "spec");
        const problems = [
          ...(at(spec, "maxUnavailable") === 1 ? [] : ["maxUnavailable is not 1"]),
          ...(at(spec, "unhealthyPodEvictionPolicy") === "AlwaysAllow"
            ? []
            : ["unhealthyPodEvictionPolicy is not AlwaysAllow"]),
          ...(all.some(({ labels }) => selects(at(spec, "selector"), labels)) ? [] : ["selects no pod"]),
        ];
        return problems.map((message) => ({ message, urn }));
      }),
    ];
  },
);
