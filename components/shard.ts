import type * as pulumi from "@pulumi/pulumi";
import { replicaName, shardName } from "../model/names";
import { Component } from "./kit/component";
import type { Platform } from "./kit/platform";
import { ShardPair, type ShardPairArgs } from "./shard-pair";
import { StoreGateway, type StoreGatewayArgs } from "./store-gateway";

/** Arguments of {@link Shard}. */
export interface ShardArgs {
  /** Number of the shard. */
  readonly index: number;
  /** Its replicas: only `a` so far; none for a retired shard whose history is in the bucket only. */
  readonly replicas: readonly ShardPairArgs[];
  /** Serves what the shard has in the bucket; absent without object storage. */
  readonly store?: StoreGatewayArgs;
}

/** One shard: a part of the series, on one or two replicas. The single size is shard 0. */
export class Shard extends Component {
  constructor(platform: Platform, args: ShardArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Shard", shardName(args.index), options);
    for (const replica of args.replicas) {
      new ShardPair(platform, replicaName(args.index, replica.replica), replica, { parent: this });
    }
    if (args.store !== undefined) new StoreGateway(platform, args.store, { parent: this });
    this.registerOutputs();
  }
}
