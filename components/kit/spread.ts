import type { types } from "@pulumi/kubernetes";
import type { ReplicaLetter } from "../../model/names";
import type { PodComponent } from "../../model/parts";
import { selectorLabels } from "./labels";

/** What two replicas never share: a node, or all nodes of a zone. */
export type Apart = "host" | "zone";

/** Label of the nodes that says which host or zone they are. */
const TOPOLOGY_KEYS = { host: "kubernetes.io/hostname", zone: "topology.kubernetes.io/zone" } as const;

/** One replica of a shard, and where its pods must not run. */
export interface PlacedReplica {
  readonly shard: number;
  readonly replica: ReplicaLetter;
  /** What it never shares with the shard's other replica; default: the scheduler is free. */
  readonly apart?: Apart;
}

/**
 * Keeps a pod from where the other replica of its shard runs, and, because the scheduler reads the terms of running pods
 * too, the other replica from where this one runs. A pod without such a place waits.
 */
export function awayFromOther(
  component: PodComponent,
  { shard, replica, apart }: PlacedReplica,
): { readonly affinity?: types.input.core.v1.Affinity } {
  if (apart === undefined) return {};
  const other = selectorLabels({ component, shard, replica: replica === "a" ? "b" : "a" });
  const term = { labelSelector: { matchLabels: other }, topologyKey: TOPOLOGY_KEYS[apart] };
  return { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
}
