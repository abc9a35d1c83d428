import type { ReplicaLetter } from "../../../model/names";
import { Feed } from "../kit/feed";
import { heldBy } from "../kit/held";
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
  held(shard: number, replica: ReplicaLetter, selector: string): ReturnType<typeof heldBy> {
    return heldBy(stack, shard, replica, selector);
  }

  async close(): Promise<void> {
    await this.feed.stop();
    await this.workspace.remove();
  }
}
