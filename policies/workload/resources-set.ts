import { at } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** Every container requests CPU and memory, and has a memory limit. */
export const resourcesSet = containerPolicy(
  {
    name: "resources-set",
    description: "Every container requests CPU and memory, and has a memory limit.",
    severity: "medium",
    remediation: "give the container its entry in components/kit/resources.ts",
    url: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
  },
  ({ value }) =>
    [
      ["requests", "cpu"],
      ["requests", "memory"],
      ["limits", "memory"],
    ].flatMap((path) =>
      at(value, "resources", ...path) === undefined ? [`resources.${path.join(".")} is missing`] : [],
    ),
);
