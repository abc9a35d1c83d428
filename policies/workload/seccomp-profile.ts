import { at } from "../kit/values";
import { containerPolicy, security } from "../kit/workloads";

/** Every container runs under a seccomp profile. */
export const seccompProfile = containerPolicy(
  {
    name: "seccomp-profile",
    description: "Every container runs under a seccomp profile.",
    severity: "high",
    remediation: "take the security context from components/kit/security.ts",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  (each, pod) => {
    const type = at(security(each, pod, "seccompProfile"), "type");
    return type === "RuntimeDefault" || type === "Localhost" ? [] : ["its seccomp profile is not RuntimeDefault"];
  },
);
