import { CLUSTER } from "../kit/aws";
import { isUnknown, text } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

/** The oldest Kubernetes that the pipeline runs on (design, section 7). */
const LEAST_MINOR = 30;

/** A cluster names its Kubernetes version, 1.30 or later. */
export const eksSupportedVersion = resourcePolicy(
  {
    name: "eks-supported-version",
    description: "A cluster names its Kubernetes version, 1.30 or later.",
    severity: "medium",
    remediation: "set version to one that EKS supports",
    url: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    types: [CLUSTER],
  },
  ({ props }) => {
    if (isUnknown(props["version"])) return [];
    const minor = Number(/^1\.(\d+)$/.exec(text(props["version"]) ?? "")?.[1] ?? 0);
    return minor >= LEAST_MINOR ? [] : [`its version is ${text(props["version"]) ?? "not named"}`];
  },
);
