import * as disruption from "@pulumi/kubernetes/policy/v1";
import type * as pulumi from "@pulumi/pulumi";
import { pairName, replicaName, shardName } from "../model/names";
import { Component } from "./kit/component";
import { disruptionBudget } from "./kit/disruption";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { withoutWaiting } from "./kit/waiting";
import { Leaf, type LeafArgs } from "./leaf";
import { ShardPair, type ShardPairArgs } from "./shard-pair";
import { StoreGateway, type StoreGatewayArgs } from "./store-gateway";

/** Arguments of {@link Shard}. */
export interface ShardArgs {
  /** Number of the shard. */
  readonly index: number;
  /** Its replicas, a first; none for a retired shard whose history is in the bucket only. */
  readonly replicas: readonly ShardPairArgs[];
  /** Serves what the shard has in the bucket; absent without object storage. */
  readonly store?: StoreGatewayArgs;
  /** Answers the roots for the shard; absent in the single size. */
  readonly leaf?: LeafArgs;
}

/** One shard: a part of the series, on one or two replicas. The single size is shard 0. */
export class Shard extends Component {
  constructor(platform: Platform, args: ShardArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("Shard", shardName(args.index), options);
    // One after the other: b changes when all of a is done, so that one of them always takes samples.
    let before: readonly ShardPair[] = [];
    for (const replica of args.replicas) {
      const name = replicaName(args.index, replica.replica);
      before = [new ShardPair(platform, name, replica, { parent: this, dependsOn: [...before] })];
    }
    if (args.replicas.length > 1) this.budgets(platform, args);
    const store = args.store === undefined ? [] : [new StoreGateway(platform, args.store, { parent: this })];
    if (args.leaf !== undefined) new Leaf(platform, args.leaf, { parent: this, dependsOn: [...before, ...store] });
    this.registerOutputs();
  }

  /** One pod of the pair at a time may be evicted: of the two Prometheus servers, and of the two hubs. */
  private budgets(platform: Platform, { index, replicas }: ShardArgs): void {
    const hasHubs = replicas.every(({ hub }) => hub !== undefined);
    for (const component of ["prometheus", ...(hasHubs ? ["hub" as const] : [])] as const) {
      const part = { component, shard: index };
      const name = pairName(component, index);
      new disruption.PodDisruptionBudget(
        name,
        {
          metadata: withoutWaiting({
            name,
            namespace: platform.namespace,
            labels: commonLabels(part, platform.labels),
          }),
          spec: disruptionBudget(selectorLabels(part)),
        },
        this.child(),
      );
    }
  }
}
