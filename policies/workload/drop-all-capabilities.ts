import { at, texts } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** Every container drops all Linux capabilities. */
export const dropAllCapabilities = containerPolicy(
  {
    name: "drop-all-capabilities",
    description: "Every container drops all Linux capabilities.",
    severity: "high",
    remediation: "take the security context from components/kit/security.ts",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  ({ value }) =>
    texts(at(value, "securityContext", "capabilities", "drop")).includes("ALL")
      ? []
      : ["does not drop ALL capabilities"],
);
