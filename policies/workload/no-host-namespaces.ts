import { at } from "../kit/values";
import { podPolicy } from "../kit/workloads";

/** No pod shares a namespace with its node. */
export const noHostNamespaces = podPolicy(
  {
    name: "no-host-namespaces",
    description: "No pod shares a namespace with its node.",
    severity: "critical",
    remediation: "take hostNetwork, hostPID and hostIPC out",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  ({ pod }) =>
    ["hostNetwork", "hostPID", "hostIPC"].flatMap((name) => (at(pod, name) === true ? [`${name} is true`] : [])),
);
