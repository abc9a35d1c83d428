import { at } from "../kit/values";
import { workloads } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** The images of prometheus-configmanager's two halves, whatever the parts are called, and wherever they come from. */
const IMAGE = /(^|\/)(prometheus|alertmanager)-configurer[:@-]/;

/** Each half of prometheus-configmanager runs once, in a StatefulSet of 1: it locks its files inside its process only. */
export const oneConfigManager = stackPolicy(
  {
    name: "one-config-manager",
    description:
      "Each half of prometheus-configmanager runs once, in a StatefulSet of 1: it locks its files inside its process only.",
    severity: "critical",
    remediation: "leave it to the program; it can't be scaled",
    url: "https://github.com/facebookarchive/prometheus-configmanager",
  },
  (resources) => {
    const seen = new Set<string>();
    return workloads(resources).flatMap((workload) =>
      workload.containers.flatMap((container) => {
        const half = IMAGE.exec(container.image)?.[2] ?? nameOf(container.value);
        if (half === undefined) return [];
        const isSecond = seen.has(half);
        seen.add(half);
        const problems = [
          ...(isSecond ? ["is a second one that writes the same kind of files"] : []),
          ...(at(workload.spec, "replicas") === 1 ? [] : ["has not exactly 1 replica"]),
          ...(workload.resource.type === "kubernetes:apps/v1:StatefulSet"
            ? []
            : ["may start a second pod during an update: it is no StatefulSet"]),
        ];
        return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
      }),
    );
  },
);

/** The half that a container of the program's own is, under another image. */
function nameOf(container: unknown): string | undefined {
  const name = at(container, "name");
  if (name === "configmanager") return "prometheus";
  return name === "alertmanager-configurer" ? "alertmanager" : undefined;
}
