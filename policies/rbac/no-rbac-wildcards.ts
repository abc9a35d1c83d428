import { resourcePolicy } from "../kit/policy";
import { at, items, texts } from "../kit/values";

/** Roles list what they allow, without wildcards. */
export const noRbacWildcards = resourcePolicy(
  {
    name: "no-rbac-wildcards",
    description: "Roles list what they allow, without wildcards.",
    severity: "high",
    remediation: "name the verbs, resources and API groups",
    url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    types: /^kubernetes:rbac\.authorization\.k8s\.io\/v1:(Cluster)?Role$/,
  },
  ({ props }) =>
    items(at(props, "rules")).flatMap((rule, index) =>
      ["verbs", "resources", "apiGroups"]
        .filter((key) => texts(at(rule, key)).includes("*"))
        .map((key) => `rules[${String(index)}].${key} has a wildcard`),
    ),
);
