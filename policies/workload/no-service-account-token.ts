import { resourcePolicy } from "../kit/policy";
import { at } from "../kit/values";
import { workload, WORKLOAD_TYPES } from "../kit/workloads";

const ACCOUNT = "kubernetes:core/v1:ServiceAccount";

/** No pod gets a token for the Kubernetes API: no part of the pipeline asks it anything. */
export const noServiceAccountToken = resourcePolicy(
  {
    name: "no-service-account-token",
    description: "No pod gets a token for the Kubernetes API: no part of the pipeline asks it anything.",
    severity: "high",
    remediation: "set automountServiceAccountToken to false on the service account and on the pod",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
    types: [ACCOUNT, ...WORKLOAD_TYPES],
  },
  (resource) => {
    const value = resource.type === ACCOUNT ? resource.props : workload(resource)?.pod;
    return at(value, "automountServiceAccountToken") === false ? [] : ["automountServiceAccountToken is not false"];
  },
);
