import type * as pulumi from "@pulumi/pulumi";
import { replicaName, shardName } from "../model/names";
import { Component } from "./kit/component";
import type { Platform } from "./kit/platform";
import { ShardPair, type ShardPairArgs } from "./shard-pair";

/** Arguments of {@link Shard}. */
export interface ShardArgs {
  /** Number of the shard. */
  readonly index: number;
  /** Its replicas: only `a` so far. */
  readonly replicas: readonly ShardPairArgs[];
}

/** One shard: a part of the series, on one or two replicas. The single size is shard 0. */
export class Shard extends Component {
  constructor(platform: Platform, args: ShardArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Shard", shardName(args.index), options);
    for (const replica of args.replicas) {
      new ShardPair(platform, replicaName(args.index, replica.replica), replica, { parent: this });
    }
    this.registerOutputs();
  }
}
