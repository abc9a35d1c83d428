import { at, texts } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** No container adds a Linux capability. */
export const noAddedCapabilities = containerPolicy(
  {
    name: "no-added-capabilities",
    description: "No container adds a Linux capability.",
    severity: "high",
    remediation: "listen on a port above 1024, and leave capabilities.add out",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  ({ value }) =>
    texts(at(value, "securityContext", "capabilities", "add")).map((name) => `adds the capability ${name}`),
);
