import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { settings } from "../../../local/cluster/settings";
import { NAMES, PORTS, type ReplicaLetter } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { check, type CheckOutcome } from "../kit/checker";
import { Feed, type Doubtful } from "../kit/feed";
import { Pipeline } from "../kit/pipeline";
import { until } from "../kit/wait";
import { committedConfig, Workspace, type StackConfig } from "../kit/workspace";
import { readingsOf, type Readings } from "./exposition";
import type { Heal } from "./faults";
import { podsOf, readyPods } from "./pods";

/** The stack of this suite, and its namespace. */
export const stack = "e2e-chaos";

/** Shards of the stack, but while it is rescaled. */
export const shardCount = 2;

/** Exporters. */
export const exporterCount = 2;

/** Samples that a hub holds: ten seconds of the feed on one shard are about half of it. */
const HUB_LIMIT = 8_000;

/** The dev stack with pairs and two exporters, and scrapes so often that hubs drain soon. */
export function stackConfig(more: StackConfig = {}): StackConfig {
  return {
    ...committedConfig("dev"),
    namespace: { name: stack },
    highAvailability: true,
    serversCount: shardCount,
    monitoring: { enabled: false },
    push: { exporterReplicas: exporterCount, scrapeInterval: "2s", timeout: "2s", hubLimit: HUB_LIMIT },
    // Four shards of two replicas, on a node of two cores.
    resources: { hub: { cpu: "10m" }, leaf: { cpu: "10m" }, adapter: { cpu: "10m" }, sidecar: { cpu: "10m" } },
    ...more,
  };
}

/** The sealed node's network namespace. */
const nodeNetwork = `/run/netns/${settings.networkNamespace}`;

/** What all faults together came to. */
interface Tally {
  faults: number;
  lost: number;
  wrong: number;
}

/** A stack of pairs with two exporters, and a feed whose every push goes to either of them. */
export class World {
  /** A round of pushes every 3 s. */
  readonly feed: Feed;
  private readonly tally: Tally = { faults: 0, lost: 0, wrong: 0 };
  private readonly heals = new Set<Heal>();

  private constructor(readonly workspace: Workspace) {
    this.feed = new Feed(workspace, stack, 3);
  }

  static async create(): Promise<World> {
    if (!existsSync(nodeNetwork)) {
      throw new Error(`no ${nodeNetwork}: faults are signals and packet rules on the local cluster (make cluster)`);
    }
    const world = new World(await Workspace.create("chaos", [stack]));
    await world.deploy();
    return world;
  }

  async deploy(more: StackConfig = {}): Promise<void> {
    this.workspace.writeStack(stack, stackConfig(more));
    await this.workspace.mustTool(["up", stack, "--no-feed"]);
  }

  /** Starts a feed from the node itself: every push is a new connection to the Service, so that exporters take turns. */
  async startFeed(): Promise<void> {
    const address = await serviceAddress(NAMES.exporter);
    const url = ["--url", `http://${address}:${String(PORTS.push)}`];
    await this.feed.start({
      prefix: ["nsenter", `--net=${nodeNetwork}`],
      flags: [...url, "--fresh-connections", "--concurrency", "64"],
    });
  }

  /** Remembers how a fault is ended, in case its test breaks off; gives a function that ends it now. */
  ending(heal: Heal): Heal {
    this.heals.add(heal);
    return async () => {
      this.heals.delete(heal);
      await heal();
    };
  }

  /** Ends every fault that still lasts. */
  async healAll(): Promise<void> {
    for (const heal of this.heals) await this.ending(heal)().catch(() => undefined);
  }

  /** Lets a fault last. */
  async last(seconds: number): Promise<void> {
    await sleep(seconds * 1_000);
  }

  /** What every exporter says of itself now. */
  readings(): Promise<Readings> {
    return until("what every exporter says of itself", { seconds: 30 }, () => this.readNow());
  }

  private async readNow(): Promise<Readings> {
    const pods = await podsOf(stack, { component: "exporter" });
    const each = pods.map(async ({ metadata: { name } }) => {
      const path = `/api/v1/namespaces/${stack}/pods/${name}:${String(PORTS.ops)}/proxy/metrics`;
      return [name, readingsOf(await kubectl({}, ["get", "--raw", path]))] as const;
    });
    return new Map(await Promise.all(each));
  }

  /** Waits until every part stands again and the root answers. */
  async recovered(shards: number, replicas: readonly ReplicaLetter[] = ["a", "b"]): Promise<void> {
    await readyPods(stack, { component: "exporter" }, exporterCount);
    for (let shard = 0; shard < shards; shard++) {
      for (const replica of replicas) {
        await readyPods(stack, { component: "hub", shard, replica }, 1);
        await readyPods(stack, { component: "prometheus", shard, replica }, 1);
      }
    }
    await this.throughPipeline((pipeline) => pipeline.answersAgain(`{feed_run="${this.feed.run()}"}`));
  }

  /** Values of `gatewayID` whose series of this feed are on a shard now. */
  gatewaysOn(shard: number): Promise<ReadonlySet<string>> {
    const query = `count by (gatewayID) ({feed_run="${this.feed.run()}",shard="${String(shard)}"})`;
    return this.throughPipeline(async ({ api }) => {
      const { samples } = await api.vector(query, Date.now());
      return new Set(samples.map(({ labels }) => labels["gatewayID"] ?? ""));
    });
  }

  /** Does something with tunnels to the stack. */
  async throughPipeline<T>(work: (pipeline: Pipeline) => Promise<T>): Promise<T> {
    const pipeline = await Pipeline.open(stack);
    try {
      return await work(pipeline);
    } finally {
      await pipeline.close();
    }
  }

  /**
   * Samples of the ledger that are not readable, or wrong, when the pushes `maybe` names may be stored or not: those that were
   * acknowledged in that time (ms of the wall clock), of these gateways.
   */
  async lost(maybe?: Doubtful): Promise<{ readonly samples: number; readonly outcome: CheckOutcome }> {
    const ledger = maybe === undefined ? this.feed.ledger() : this.feed.doubting(maybe);
    const flags = ["--settle", "15s", "--no-rates", "--ledger", ledger];
    const outcome = await check(this.workspace, stack, flags);
    const samples = outcome.reports.flatMap(({ checks }) => checks).filter(({ name }) => name === "samples");
    return { samples: samples.reduce((sum, { mismatches }) => sum + mismatches, 0), outcome };
  }

  /** Counts a fault in the last line of `make chaos`. */
  tell(lost: number): void {
    this.tally.faults += 1;
    this.tally.lost += lost;
  }

  /**
   * The feed's ledger beside the root's answers: every sample, and every evaluation step. Counts what `faults` faults came to.
   * @param isRepeated Pushes are on two shards: `increase` is not judged.
   */
  async compared(faults: number, isRepeated: boolean): Promise<CheckOutcome> {
    const outcome = await check(this.workspace, stack, ["--settle", "15s", "--steps", "2s", "--no-rates"]);
    this.tally.faults += faults;
    const samples = outcome.reports.flatMap(({ checks }) => checks).filter(({ name }) => name === "samples");
    this.tally.lost += samples.reduce((sum, { mismatches }) => sum + mismatches, 0);
    this.tally.wrong += outcome.steps?.wrong ?? 0;
    if (!isRepeated) this.tally.wrong += outcome.steps?.increases.mismatches ?? 0;
    return outcome;
  }

  async close(): Promise<void> {
    await this.healAll();
    await this.feed.stop();
    const file = process.env["CHAOS_RESULT"];
    if (file !== undefined && file !== "") {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify(this.tally));
    }
    await this.workspace.remove();
  }
}

/** ClusterIP of a Service of the stack. */
export async function serviceAddress(name: string): Promise<string> {
  const address = await kubectl({ namespace: stack }, ["get", "service", name, "--output=jsonpath={.spec.clusterIP}"]);
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(address)) throw new Error(`Service ${name} has no address but "${address}"`);
  return address;
}
