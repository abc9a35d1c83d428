import { at } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** No process gains more rights than its parent. */
export const noPrivilegeEscalation = containerPolicy(
  {
    name: "no-privilege-escalation",
    description: "No process gains more rights than its parent.",
    severity: "high",
    remediation: "take the security context from components/kit/security.ts",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  ({ value }) =>
    at(value, "securityContext", "allowPrivilegeEscalation") === false ? [] : ["allowPrivilegeEscalation is not false"],
);
