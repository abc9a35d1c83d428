import { PORTS, prometheusName, type ReplicaLetter } from "../../../model/names";
import { PortForward } from "../../../tools/port-forward";
import { PrometheusApi, type MatrixSeries } from "../../../tools/prometheus-api";
import { Feed } from "../kit/feed";
import { committedConfig, Workspace, type StackConfig } from "../kit/workspace";

/** The stack of this suite, and its namespace. */
export const stack = "e2e-pairs";

/** Shards of the stack. */
export const shardCount = 2;

/** Both replicas. */
export const letters = ["a", "b"] as const;

/** The dev stack with pairs, and scrapes so often that hubs drain soon. */
export function stackConfig(more: StackConfig = {}): StackConfig {
  return {
    ...committedConfig("dev"),
    namespace: { name: stack },
    highAvailability: true,
    serversCount: shardCount,
    monitoring: { enabled: false },
    push: { exporterReplicas: 1, scrapeInterval: "2s" },
    ...more,
  };
}

/** A stack of pairs with a feed. */
export class World {
  /** A round of pushes every 3 s. */
  readonly feed: Feed;

  private constructor(readonly workspace: Workspace) {
    this.feed = new Feed(workspace, stack, 3);
  }

  static async create(): Promise<World> {
    return new World(await Workspace.create("query", [stack]));
  }

  async deploy(more: StackConfig = {}): Promise<void> {
    this.workspace.writeStack(stack, stackConfig(more));
    await this.workspace.mustTool(["up", stack, "--no-feed"]);
  }

  /** What one Prometheus itself holds of a selector, by labels. */
  async held(
    shard: number,
    replica: ReplicaLetter,
    selector: string,
  ): Promise<ReadonlyMap<string, MatrixSeries["values"]>> {
    const resource = `pod/${prometheusName(shard, replica)}-0`;
    const forward = await PortForward.open({ target: { namespace: stack }, resource, remotePort: PORTS.gate });
    try {
      const answer = await new PrometheusApi(forward.url).query(`${selector}[1h]`, Date.now() + 60_000);
      if (answer.type !== "matrix") throw new Error(`${selector} gave a ${answer.type}`);
      return new Map(
        answer.series.map(({ labels, values }) => [JSON.stringify(Object.entries(labels).sort()), values]),
      );
    } finally {
      await forward.close();
    }
  }

  async close(): Promise<void> {
    await this.feed.stop();
    await this.workspace.remove();
  }
}
