import { containerPolicy, security } from "../kit/workloads";

/** Every container names a user of 10,000 or more, who is nobody on the node. */
export const runAsHighUser = containerPolicy(
  {
    name: "run-as-high-user",
    description: "Every container names a user of 10,000 or more, who is nobody on the node.",
    severity: "medium",
    remediation:
      "set runAsUser to 65534, as components/kit/security.ts does, and give the process a writable volume where it needs one",
    url: "https://github.com/zegl/kube-score/blob/master/README_CHECKS.md",
  },
  (each, pod) => {
    const user = security(each, pod, "runAsUser");
    return typeof user === "number" && user >= 10_000 ? [] : [`runAsUser is ${String(user)}, below 10000 or missing`];
  },
);
