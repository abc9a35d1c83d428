import { resourcePolicy } from "../kit/policy";

/** No right reaches beyond the pipeline's own namespace. */
export const noClusterWideRights = resourcePolicy(
  {
    name: "no-cluster-wide-rights",
    description: "No right reaches beyond the pipeline's own namespace.",
    severity: "high",
    remediation: "use a Role and a RoleBinding in the namespace",
    url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    types: /^kubernetes:rbac\.authorization\.k8s\.io\/v1:Cluster(Role|RoleBinding)$/,
  },
  ({ type }) => [`is a ${type.split(":").at(-1) ?? type}`],
);
