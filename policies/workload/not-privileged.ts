import { at } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** No container is privileged. */
export const notPrivileged = containerPolicy(
  {
    name: "not-privileged",
    description: "No container is privileged.",
    severity: "critical",
    remediation: "take the security context from components/kit/security.ts",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  ({ value }) => (at(value, "securityContext", "privileged") === true ? ["is privileged"] : []),
);
