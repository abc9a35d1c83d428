import { text } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

/** The Kubernetes provider has a clusterIdentifier: else a renewed kubeconfig may replace everything in the cluster. */
export const clusterIdentifier = resourcePolicy(
  {
    name: "cluster-identifier",
    description:
      "The Kubernetes provider has a clusterIdentifier: else a renewed kubeconfig may replace everything in the cluster.",
    severity: "critical",
    remediation: "take the provider from infra/",
    url: "https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/#clusteridentifier_nodejs",
    types: ["pulumi:providers:kubernetes"],
  },
  ({ props }) => {
    const given = text(props["clusterIdentifier"]) ?? "";
    return given === "" ? ["has no clusterIdentifier"] : [];
  },
);
