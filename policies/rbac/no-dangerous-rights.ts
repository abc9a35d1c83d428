import { resourcePolicy } from "../kit/policy";
import { at, items, texts } from "../kit/values";

/** Rights by which whoever has them can get any other. */
const DANGEROUS: readonly { readonly resource: RegExp; readonly verb: RegExp }[] = [
  { resource: /^secrets$/, verb: /^(list|watch|\*)$/ },
  { resource: /^pods\/(exec|attach|portforward|ephemeralcontainers)$/, verb: /./ },
  { resource: /^(nodes\/proxy|serviceaccounts\/token)$/, verb: /./ },
  { resource: /./, verb: /^(bind|escalate|impersonate)$/ },
];

/** No role lists secrets, enters pods or raises its own rights. */
export const noDangerousRights = resourcePolicy(
  {
    name: "no-dangerous-rights",
    description: "No role lists secrets, enters pods or raises its own rights.",
    severity: "critical",
    remediation: "get a secret by its name in resourceNames, or mount it; leave the other rights out",
    url: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    types: /^kubernetes:rbac\.authorization\.k8s\.io\/v1:(Cluster)?Role$/,
  },
  ({ props }) =>
    items(at(props, "rules")).flatMap((rule) =>
      texts(at(rule, "resources")).flatMap((resource) =>
        texts(at(rule, "verbs"))
          .filter((verb) => DANGEROUS.some((each) => each.resource.test(resource) && each.verb.test(verb)))
          .map((verb) => `allows ${verb} on ${resource}`),
      ),
    ),
);
