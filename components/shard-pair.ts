import type * as pulumi from "@pulumi/pulumi";
import { EdgeHub, type EdgeHubArgs } from "./edge-hub";
import { Component } from "./kit/component";
import type { Platform } from "./kit/platform";
import type { PlacedReplica } from "./kit/spread";
import { PrometheusServer, type PrometheusServerArgs } from "./prometheus";

/** Arguments of {@link ShardPair}. */
export interface ShardPairArgs extends PlacedReplica {
  readonly prometheus: PrometheusServerArgs;
  /** Absent for a retired shard: it gets no new series. */
  readonly hub?: EdgeHubArgs;
}

/** One replica of a shard: an edge hub, and the Prometheus that alone empties it. */
export class ShardPair extends Component {
  constructor(platform: Platform, name: string, args: ShardPairArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("ShardPair", name, options);
    new PrometheusServer(platform, args, args.prometheus, { parent: this });
    if (args.hub !== undefined) new EdgeHub(platform, args, args.hub, { parent: this });
    this.registerOutputs();
  }
}
