import { Pipeline } from "../kit/pipeline";
import { committedConfig, Workspace, type StackConfig } from "../kit/workspace";

/** Stacks of this suite; each has the namespace of its name. */
export const stacks = { dev: "e2e-main", single: "e2e-single", bad: "e2e-bad" } as const;

/** Shards of the dev stack. */
export const shardCount = 2;

/** Largest body that the e2e stacks take, so that tests of it stay small. */
export const maxBodyBytes = 1024 * 1024;

/** What the tests of this suite share. */
export class World {
  private opened: Pipeline | undefined;

  private constructor(readonly workspace: Workspace) {}

  static async create(): Promise<World> {
    const world = new World(await Workspace.create("main", Object.values(stacks)));
    world.workspace.writeStack(stacks.dev, stackConfig("dev", stacks.dev));
    return world;
  }

  /** Tunnels to the dev stack; an error in words when it is not up. */
  get pipeline(): Pipeline {
    if (this.opened === undefined) throw new Error("needs the stack of the first test, which is not up");
    return this.opened;
  }

  async open(): Promise<void> {
    this.opened ??= await Pipeline.open(stacks.dev);
  }

  async close(): Promise<void> {
    await this.opened?.close();
    await this.workspace.remove();
  }
}

/** A committed stack's config in a namespace of its own, with scrapes a bit sooner than every 15 s, and smaller pushes. */
export function stackConfig(stack: "dev" | "single", namespace: string, more: StackConfig = {}): StackConfig {
  return {
    ...committedConfig(stack),
    namespace: { name: namespace },
    push: { exporterReplicas: 1, scrapeInterval: "10s", limits: { maxBodySize: "1Mi" } },
    ...more,
  };
}
