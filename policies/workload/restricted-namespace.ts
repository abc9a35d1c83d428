import { resourcePolicy } from "../kit/policy";
import { at } from "../kit/values";

/** A namespace enforces the restricted Pod Security Standard. */
export const restrictedNamespace = resourcePolicy(
  {
    name: "restricted-namespace",
    description: "A namespace enforces the restricted Pod Security Standard.",
    severity: "high",
    remediation: "put the label pod-security.kubernetes.io/enforce: restricted on it",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
    types: ["kubernetes:core/v1:Namespace"],
  },
  ({ props }) => {
    const level = at(props, "metadata", "labels", "pod-security.kubernetes.io/enforce");
    return level === "restricted" ? [] : [`enforces ${level === undefined ? "nothing" : JSON.stringify(level)}`];
  },
);
