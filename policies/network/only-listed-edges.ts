import { EDGES, type Edge } from "../../model/edges";
import { isAllowed, networkPolicies } from "../kit/network";
import { isSharded, partOf, replicaKey } from "../kit/pipeline";
import { at, items } from "../kit/values";
import { workloads, type Workload } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

function isListed(edges: readonly Edge[], from: Workload, to: Workload, port: number): boolean {
  return edges.some(
    (edge) =>
      edge.to === partOf(to) &&
      edge.ports.includes(port) &&
      // Whoever comes from outside is whom the config names, which may be the pipeline's own pods too.
      (typeof edge.from === "object" || edge.from === partOf(from)) &&
      (edge.isWithinReplica !== true || replicaKey(from) === replicaKey(to)),
  );
}

function portsOf(workload: Workload): readonly number[] {
  return workload.containers
    .flatMap(({ value }) => items(at(value, "ports")))
    .flatMap((port) => {
      const number = at(port, "containerPort");
      return typeof number === "number" ? [number] : [];
    });
}

/** No pod of the pipeline may connect to another one but along the listed edges; only its own Prometheus may scrape a hub. */
export const onlyListedEdges = stackPolicy(
  {
    name: "only-listed-edges",
    description:
      "No pod of the pipeline may connect to another one but along the listed edges; only its own Prometheus may scrape a hub.",
    severity: "high",
    remediation: "narrow the NetworkPolicy, or add the connection to model/edges.ts",
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
  },
  (resources) => {
    const policies = networkPolicies(resources);
    // Without policies everything is allowed, which is what another rule says.
    if (policies.length === 0) return [];
    const size = isSharded(resources) ? "sharded" : "single";
    const edges = EDGES.filter((edge) => (edge.size ?? size) === size);
    const all = workloads(resources);
    return all.flatMap((from) =>
      all.flatMap((to) =>
        portsOf(to)
          .filter((port) => from !== to && !isListed(edges, from, to, port) && isAllowed(policies, from, to, port))
          .map((port) => ({
            message: `${from.name} may connect to port ${String(port)} of ${to.name}, which is no listed edge`,
            urn: to.resource.urn,
          })),
      ),
    );
  },
);
