import type { ReplicaId } from "../components/kit/network";
import type { NetworkPoliciesArgs } from "../components/network-policies";
import { edgesOf } from "../model/edges";
import { PORTS } from "../model/names";
import type { PodComponent } from "../model/parts";
import type { Config } from "./config";
import { bucketReach } from "./created-bucket-plan";

/** The NetworkPolicies of a stack, or nothing where its config switches them off. */
export function networkPlan(
  config: Config,
  components: readonly PodComponent[],
  /** Retired shards too: their hubs are scraped a last time while they go. */
  deployed: readonly ReplicaId[],
): { readonly networkPolicies?: NetworkPoliciesArgs } {
  const { enabled, allowFrom } = config.networkPolicies;
  if (!enabled) return {};
  return {
    networkPolicies: {
      namespace: config.namespace.name,
      labels: config.labels,
      edges: edgesOf(config.createThanos ? "sharded" : "single", components, bucketReach(config)).map((edge) =>
        config.push.grpc ? edge : { ...edge, ports: edge.ports.filter((port) => port !== PORTS.pushGrpc) },
      ),
      replicas: deployed,
      allowed: allowFrom,
      ownsNamespace: config.namespace.create,
    },
  };
}
