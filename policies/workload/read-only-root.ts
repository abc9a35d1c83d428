import { at } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** The root file system of every container is read-only. */
export const readOnlyRoot = containerPolicy(
  {
    name: "read-only-root",
    description: "The root file system of every container is read-only.",
    severity: "medium",
    remediation: "set readOnlyRootFilesystem, and mount a volume at the one path that must be written",
    url: "https://hub.armosec.io/docs/c-0017",
  },
  ({ value }) =>
    at(value, "securityContext", "readOnlyRootFilesystem") === true ? [] : ["readOnlyRootFilesystem is not true"],
);
