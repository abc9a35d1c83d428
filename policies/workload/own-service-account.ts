import { stackPolicy } from "../kit/policy";
import { at, text } from "../kit/values";
import { workloads } from "../kit/workloads";

/** Every workload has a service account of its own part, never the default one. */
export const ownServiceAccount = stackPolicy(
  {
    name: "own-service-account",
    description: "Every workload has a service account of its own part, never the default one.",
    severity: "medium",
    remediation: "add the part to the components of the Namespace, and take the pod from components/kit/pod.ts",
    url: "https://hub.armosec.io/docs/c-0034",
  },
  (resources) => {
    const users = new Map<string, string>();
    return workloads(resources).flatMap(({ resource, pod, labels }) => {
      const account = text(at(pod, "serviceAccountName"));
      if (account === undefined || account === "default") {
        return [{ message: "uses the default service account", urn: resource.urn }];
      }
      const part = labels["app.kubernetes.io/name"] ?? resource.name;
      const other = users.get(account) ?? part;
      users.set(account, other);
      if (other === part) return [];
      return [{ message: `shares the service account ${account} with ${other}`, urn: resource.urn }];
    });
  },
);
