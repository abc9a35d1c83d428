import type * as pulumi from "@pulumi/pulumi";
import {
  claimName,
  hubName,
  NAMES,
  PORTS,
  prometheusName,
  replicaName,
  serviceHost,
  shardName,
  storeName,
} from "../model/names";
import type { StoragePhase } from "../model/storage-phase";
import type { Config } from "./config";
import type { ObjectStoragePlan } from "./object-storage-plan";
import type { QueriedShard } from "./queried-shards";

/** One replica of a shard, for people and tools. */
export interface ReplicaOutput {
  /** `shard-0-a` */
  readonly name: string;
  readonly statefulSet: string;
  /** The claim with the samples; it outlives the StatefulSet. */
  readonly claim: string;
  /** Deployment and Service of the hub; null for a retired shard. */
  readonly hub: string | null;
}

/** One shard, for people and tools. */
export interface ShardOutput {
  readonly index: number;
  readonly name: string;
  /** Queried, but without a hub and not in the ring. */
  readonly retired: boolean;
  /** None when its history is in the bucket only. */
  readonly replicas: readonly ReplicaOutput[];
  /** StatefulSet and Service of the Store Gateway; null without object storage. */
  readonly store: string | null;
}

/** What the stack says about itself. */
export interface StackOutputs {
  readonly namespace: string;
  /** Where to ask, inside the cluster. */
  readonly queryUrl: string;
  /** Where to push, inside the cluster. */
  readonly pushUrl: string;
  /** Where to push over gRPC, inside the cluster: host and port, as Magma's controllers want it; null without it. */
  readonly pushGrpc: string | null;
  readonly alertmanagerUrl: string;
  readonly shards: readonly ShardOutput[];
  /** Bucket or container of object storage, given or made by the stack; null without it. */
  readonly bucket: pulumi.Input<string> | null;
  /** Phase of object storage; null without it. */
  readonly storagePhase: StoragePhase | null;
  /** Version of the exporters' ring without pins: it changes when a shard joins or leaves. */
  readonly ring: string;
  /** Commands that open a way in from outside. */
  readonly portForward: Readonly<Record<"query" | "push" | "alertmanager", string>>;
}

/** A pair of Rulers: one evaluates while the other restarts. */
export const RULER_REPLICAS = 2;

/** What the stack says about itself. */
export function outputs(
  config: Config,
  queried: readonly QueriedShard[],
  storage: ObjectStoragePlan | undefined,
  ring: string,
): StackOutputs {
  const namespace = config.namespace.name;
  const url = (service: string, port: number, scheme = "http") =>
    `${scheme}://${serviceHost(service, namespace)}:${String(port)}`;
  const forward = (service: string, port: number) =>
    `kubectl --namespace ${namespace} port-forward service/${service} ${String(port)}:${String(port)}`;
  return {
    namespace,
    queryUrl: url(NAMES.query, PORTS.query),
    pushUrl: `${url(NAMES.exporter, PORTS.push, config.push.tls === undefined ? "http" : "https")}/metrics`,
    pushGrpc: config.push.grpc ? `${serviceHost(NAMES.exporter, namespace)}:${String(PORTS.pushGrpc)}` : null,
    alertmanagerUrl: url(NAMES.alertmanager, PORTS.alertmanager),
    shards: queried.map(({ index, isRetired, replicas }) => ({
      index,
      name: shardName(index),
      retired: isRetired,
      replicas: replicas.map((replica) => ({
        name: replicaName(index, replica),
        statefulSet: prometheusName(index, replica),
        claim: claimName(prometheusName(index, replica)),
        hub: isRetired ? null : hubName(index, replica),
      })),
      store: storage === undefined ? null : storeName(index),
    })),
    bucket: storage?.bucket ?? null,
    storagePhase: config.objectStorage?.phase ?? null,
    ring,
    portForward: {
      query: forward(NAMES.query, PORTS.query),
      push: forward(NAMES.exporter, PORTS.push),
      alertmanager: forward(NAMES.alertmanager, PORTS.alertmanager),
    },
  };
}
