import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PORTS, prometheusName, type ReplicaLetter } from "../../../model/names";
import { readLedger } from "../../../tools/feed/ledger";
import { ledgerDirectory } from "../../../tools/paths";
import { PortForward } from "../../../tools/port-forward";
import { PrometheusApi, type MatrixSeries } from "../../../tools/prometheus-api";
import { lastLines, type BackgroundCommand } from "../kit/command";
import { until } from "../kit/wait";
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
  private feed: BackgroundCommand | undefined;

  private constructor(readonly workspace: Workspace) {}

  static async create(): Promise<World> {
    return new World(await Workspace.create("query", [stack]));
  }

  async deploy(more: StackConfig = {}): Promise<void> {
    this.workspace.writeStack(stack, stackConfig(more));
    await this.workspace.mustTool(["up", stack, "--no-feed"]);
  }

  /** Starts the feed in the background and waits for its first acknowledgements. */
  async startFeed(): Promise<void> {
    const fleet = ["--gateways", "30", "--series", "80", "--unassigned", "50"];
    const pace = ["--interval", "3", "--duration", "1800", "--deadline", "60"];
    this.feed = this.workspace.startTool(["feed", stack, ...fleet, ...pace]);
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
    const acknowledged = until("a round of acknowledged pushes", { seconds: 90 }, () => {
      const recent = this.records().flatMap((record) => (record.kind === "ack" && record.t >= begin ? [record.g] : []));
      return Promise.resolve(new Set(recent).size > 30);
    });
    await Promise.race([acknowledged, ended]);
  }

  /** Ends the feed after the pushes under way. */
  async stopFeed(): Promise<void> {
    const { feed } = this;
    this.feed = undefined;
    await feed?.interrupt();
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
    await this.stopFeed();
    await this.workspace.remove();
  }

  /** File of the newest feed. */
  private ledger(): string {
    const folder = ledgerDirectory(stack, { SCALED_PROMETHEUS_BACKEND_DIR: this.workspace.state });
    // Named by their time.
    const name = existsSync(folder) ? readdirSync(folder).sort().at(-1) : undefined;
    if (name === undefined) throw new Error(`no ledger in ${folder} yet`);
    return join(folder, name);
  }

  private records() {
    return readLedger(this.ledger()).records;
  }
}
