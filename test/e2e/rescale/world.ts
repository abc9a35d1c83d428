import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { readLedger } from "../../../tools/feed/ledger";
import { ledgerDirectory } from "../../../tools/paths";
import { lastLines, type BackgroundCommand } from "../kit/command";
import { Pipeline } from "../kit/pipeline";
import { until } from "../kit/wait";
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
  private feed: BackgroundCommand | undefined;

  private constructor(readonly workspace: Workspace) {}

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

  /** Starts the feed in the background and waits for its first acknowledgements. */
  async startFeed(): Promise<void> {
    const fleet = ["--gateways", "30", "--series", "80", "--unassigned", "50"];
    const pace = ["--interval", String(feedInterval), "--duration", "1800", "--deadline", "60"];
    this.feed = this.workspace.startTool(["feed", stacks.rescale, ...fleet, ...pace]);
    await this.nextRound();
  }

  /** Waits until a whole round that begins from now on is acknowledged; fails when the feed has ended. */
  async nextRound(): Promise<void> {
    const { feed } = this;
    if (feed === undefined) throw new Error("needs the feed of an earlier test, which does not run");
    const ended = feed.done.then((result) => {
      throw new Error(`the feed ended with ${String(result.code)}:\n${lastLines(result)}`);
    });
    const begin = Date.now();
    const acknowledged = until("a round of acknowledged pushes", { seconds: 90 }, async () => {
      const gateways = new Set(
        this.records().flatMap((record) => (record.kind === "ack" && record.t >= begin ? [record.g] : [])),
      );
      return Promise.resolve(gateways.size > 30);
    });
    await Promise.race([acknowledged, ended]);
  }

  /** Pushes that were given up so far, except those that were under way when the feed was stopped. */
  failures(): readonly string[] {
    const errors = this.records().flatMap((record) => (record.kind === "fail" ? [record.error] : []));
    return errors.filter((error) => !error.startsWith("stopped"));
  }

  /** Label `feed_run` of the feed. */
  run(): string {
    return readLedger(this.ledger()).header.run;
  }

  /** Ends the feed after the pushes under way. */
  async stopFeed(): Promise<void> {
    const { feed } = this;
    this.feed = undefined;
    await feed?.interrupt();
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
    await this.stopFeed();
    await this.workspace.remove();
  }

  private ledger(): string {
    const folder = ledgerDirectory(stacks.rescale, { SCALED_PROMETHEUS_BACKEND_DIR: this.workspace.state });
    const [name] = existsSync(folder) ? readdirSync(folder) : [];
    if (name === undefined) throw new Error(`no ledger in ${folder} yet`);
    return join(folder, name);
  }

  private records() {
    return readLedger(this.ledger()).records;
  }
}
