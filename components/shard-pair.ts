import type * as pulumi from "@pulumi/pulumi";
import type { ReplicaLetter } from "../model/names";
import { EdgeHub, type EdgeHubArgs } from "./edge-hub";
import { Component } from "./kit/component";
import type { Platform } from "./kit/platform";
import { PrometheusServer, type PrometheusServerArgs } from "./prometheus";

/** Arguments of {@link ShardPair}. */
export interface ShardPairArgs {
  /** Number of the shard. */
  readonly shard: number;
  readonly replica: ReplicaLetter;
  readonly prometheus: PrometheusServerArgs;
  /** Absent for a retired shard: it gets no new series. */
  readonly hub?: EdgeHubArgs;
}

/** One replica of a shard: an edge hub, and the Prometheus that alone empties it. */
export class ShardPair extends Component {
  constructor(platform: Platform, name: string, args: ShardPairArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("ShardPair", name, options);
    const part = { shard: args.shard, replica: args.replica };
    new PrometheusServer(platform, part, args.prometheus, { parent: this });
    if (args.hub !== undefined) new EdgeHub(platform, part, args.hub, { parent: this });
    this.registerOutputs();
  }
}
