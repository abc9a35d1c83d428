import { CLUSTER } from "../kit/aws";
import { at, texts } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

/** The API server of a cluster is not open to the internet. */
export const eksPrivateEndpoint = resourcePolicy(
  {
    name: "eks-private-endpoint",
    description: "The API server of a cluster is not open to the internet.",
    severity: "high",
    remediation: "set endpointPrivateAccess, and endpointPublicAccess to false or publicAccessCidrs to known addresses",
    url: "https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
    types: [CLUSTER],
  },
  ({ props }) => {
    const network = props["vpcConfig"];
    const cidrs = texts(at(network, "publicAccessCidrs"));
    const isOpen =
      at(network, "endpointPublicAccess") !== false &&
      (cidrs.length === 0 || cidrs.some((each) => each.endsWith("/0")));
    return [
      ...(at(network, "endpointPrivateAccess") === true ? [] : ["endpointPrivateAccess is not true"]),
      ...(isOpen ? ["its public endpoint is open to every address"] : []),
    ];
  },
);
