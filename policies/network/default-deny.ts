import { networkPolicies, selects } from "../kit/network";
import { workloads } from "../kit/workloads";
import { at, items, texts } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** Every pod is denied all connections, in and out, that no policy allows. */
export const defaultDeny = stackPolicy(
  {
    name: "default-deny",
    description: "Every pod is denied all connections, in and out, that no policy allows.",
    severity: "high",
    remediation: "set networkPolicies.enabled to true",
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
  },
  (resources) => {
    const denying = networkPolicies(resources).filter(({ props }) => {
      const spec = at(props, "spec");
      const types = texts(at(spec, "policyTypes"));
      const isEmpty = items(at(spec, "ingress")).length + items(at(spec, "egress")).length === 0;
      return isEmpty && types.includes("Ingress") && types.includes("Egress");
    });
    return workloads(resources)
      .filter(({ labels }) => !denying.some(({ props }) => selects(at(props, "spec", "podSelector"), labels)))
      .map(({ name, resource }) => ({
        message: `no default-deny policy selects the pods of ${name}`,
        urn: resource.urn,
      }));
  },
);
