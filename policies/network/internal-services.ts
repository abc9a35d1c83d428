import { at, items, text } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

/** Services are reachable inside the cluster only. */
export const internalServices = resourcePolicy(
  {
    name: "internal-services",
    description: "Services are reachable inside the cluster only.",
    severity: "high",
    remediation:
      "leave the type ClusterIP; people and programs outside come through a port-forward or a proxy of their own",
    url: "https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types",
    types: ["kubernetes:core/v1:Service"],
  },
  ({ props }) => {
    const spec = at(props, "spec");
    const type = text(at(spec, "type")) ?? "ClusterIP";
    return [
      ...(type === "ClusterIP" ? [] : [`is of type ${type}`]),
      ...(items(at(spec, "externalIPs")).length > 0 ? ["has externalIPs"] : []),
    ];
  },
);
