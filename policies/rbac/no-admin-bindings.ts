import { resourcePolicy } from "../kit/policy";
import { at, text } from "../kit/values";

const ADMIN_ROLES: ReadonlySet<string> = new Set(["cluster-admin", "admin", "edit"]);

/** Nothing is bound to the roles that may do everything. */
export const noAdminBindings = resourcePolicy(
  {
    name: "no-admin-bindings",
    description: "Nothing is bound to the roles that may do everything.",
    severity: "critical",
    remediation: "bind a Role that lists exactly the verbs and resources which the part needs",
    url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    types: /^kubernetes:rbac\.authorization\.k8s\.io\/v1:(Cluster)?RoleBinding$/,
  },
  ({ props }) => {
    const role = text(at(props, "roleRef", "name")) ?? "";
    return ADMIN_ROLES.has(role) ? [`binds ${role}`] : [];
  },
);
