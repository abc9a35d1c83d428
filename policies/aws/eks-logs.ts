import { CLUSTER } from "../kit/aws";
import { texts } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

const TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"] as const;

/** A cluster writes all logs of its control plane. */
export const eksLogs = resourcePolicy(
  {
    name: "eks-logs",
    description: "A cluster writes all logs of its control plane.",
    severity: "medium",
    remediation: "list all five types in enabledClusterLogTypes",
    url: "https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
    types: [CLUSTER],
  },
  ({ props }) => {
    const enabled = texts(props["enabledClusterLogTypes"]);
    return TYPES.filter((type) => !enabled.includes(type)).map((type) => `does not log ${type}`);
  },
);
