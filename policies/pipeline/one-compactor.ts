import { thanos } from "../kit/pipeline";
import { at } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** There is at most one Compactor, with one replica, and never two during an update. */
export const oneCompactor = stackPolicy(
  {
    name: "one-compactor",
    description: "There is at most one Compactor, with one replica, and never two during an update.",
    severity: "critical",
    remediation: "leave the one Compactor to the program; it can't be scaled",
    url: "https://thanos.io/tip/components/compact.md/",
  },
  (resources) => {
    const compactors = thanos(resources, "compact");
    return compactors.flatMap(({ workload }, index) => {
      const isStateful = workload.resource.type === "kubernetes:apps/v1:StatefulSet";
      const problems = [
        ...(index === 0 ? [] : ["is a second Compactor"]),
        ...(at(workload.spec, "replicas") === 1 ? [] : ["has not exactly 1 replica"]),
        ...(isStateful || at(workload.spec, "strategy", "type") === "Recreate"
          ? []
          : ["starts a second pod during an update: its strategy is not Recreate"]),
      ];
      return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
    });
  },
);
