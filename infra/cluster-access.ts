import type { Provider } from "@pulumi/kubernetes/provider";
import type { ClusterConnection } from "../model/cluster";
import { existingEks, stackEks, type EksIdentity } from "./eks-access";
import { kubernetesProvider } from "./kubernetes-provider";

/** A way into a cluster. */
export interface ClusterAccess {
  readonly provider: Provider;
  /** What AWS knows the cluster by; undefined for a cluster of a kubeconfig. */
  readonly eks: EksIdentity | undefined;
}

/** Finds the cluster that a stack's config names. */
export function clusterAccess(connection: ClusterConnection): ClusterAccess {
  switch (connection.kind) {
    case "kubeconfig":
      return { provider: kubernetesProvider(connection), eks: undefined };
    case "eks":
      return existingEks(connection);
    case "stack":
      return stackEks(connection);
  }
}
