import { Feed } from "../kit/feed";
import { Pipeline } from "../kit/pipeline";
import { committedConfig, Workspace, type StackConfig } from "../kit/workspace";

/** Stacks of this suite; each has the namespace of its name. */
export const stacks = { rescale: "e2e-rescale", size: "e2e-size" } as const;

/** Seconds between two rounds of the feed. */
export const feedInterval = 5;

/** Shards of a step, and whether they are protected. */
export interface Step extends StackConfig {
  readonly serversCount: number;
  readonly retiredShards?: readonly number[];
  readonly deletionProtection?: boolean;
}

/** The dev stack's config with a shorter scrape interval, so that hubs drain sooner. */
export function stackConfig(namespace: string, step: StackConfig): StackConfig {
  return {
    ...committedConfig("dev"),
    namespace: { name: namespace },
    push: { exporterReplicas: 1, scrapeInterval: "2s" },
    ...step,
  };
}

/** A stack that is rescaled while a feed runs. */
export class World {
  readonly feed: Feed;

  private constructor(readonly workspace: Workspace) {
    this.feed = new Feed(workspace, stacks.rescale, feedInterval);
  }

  static async create(): Promise<World> {
    return new World(await Workspace.create("rescale", Object.values(stacks)));
  }

  /** Writes the config of a step. */
  configure(step: Step): void {
    this.workspace.writeStack(stacks.rescale, stackConfig(stacks.rescale, { deletionProtection: true, ...step }));
  }

  /** Writes the config of a step and deploys it. */
  async deploy(step: Step): Promise<void> {
    this.configure(step);
    await this.workspace.mustTool(["up", stacks.rescale, "--no-feed"]);
  }

  /** Does something with tunnels to a stack. */
  async with<T>(namespace: string, work: (pipeline: Pipeline) => Promise<T>): Promise<T> {
    const pipeline = await Pipeline.open(namespace);
    try {
      return await work(pipeline);
    } finally {
      await pipeline.close();
    }
  }

  async close(): Promise<void> {
    await this.feed.stop();
    await this.workspace.remove();
  }
}
