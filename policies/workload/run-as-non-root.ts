import { containerPolicy, security } from "../kit/workloads";

/** No container runs as root. */
export const runAsNonRoot = containerPolicy(
  {
    name: "run-as-non-root",
    description: "No container runs as root.",
    severity: "high",
    remediation: "take the security context from components/kit/security.ts",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  (each, pod) => (security(each, pod, "runAsNonRoot") === true ? [] : ["runAsNonRoot is not true"]),
);
