import { expect } from "vitest";
import { claimName, prometheusName } from "../../../model/names";
import type { StoragePhase } from "../../../model/storage-phase";
import { restrictedNamespace } from "../kit/objects";
import { Pipeline } from "../kit/pipeline";
import { until } from "../kit/wait";
import { committedConfig, Workspace, type StackConfig } from "../kit/workspace";
import { History } from "./history";
import { endpoints, type Endpoint } from "./parts";
import { s3Config, startS3Server } from "./s3-server";
import { fillClaim } from "./volumes";

/** Stacks of this suite; each has the namespace of its name. */
export const stacks = { fresh: "e2e-object-storage", running: "e2e-switching" } as const;

/** Shards of both stacks, and their numbers. */
export const shardCount = 2;
export const shards: readonly number[] = [0, 1];

/** How long the history is, in hours: a whole window of two days, whose block is downsampled, wherever it begins. */
const historyHours = 120;
const volumeSize = "2Gi";

/** What both groups of tests share. */
export class World {
  private constructor(readonly workspace: Workspace) {}

  static async create(): Promise<World> {
    return new World(await Workspace.create("object-storage", Object.values(stacks)));
  }

  /** Makes a namespace with an S3 server, and claims that hold three days of history before any Prometheus runs. */
  async prepare(namespace: string): Promise<History> {
    const scratch = this.workspace.scratch(namespace);
    await restrictedNamespace(namespace, scratch);
    await startS3Server(namespace, scratch);
    const history = new History(shardCount, historyHours, namespace);
    const folders = await Promise.all(shards.map((shard) => history.blocks(shard, scratch)));
    for (const [shard, folder] of folders.entries()) {
      expect(history.series(shard), `series of shard ${String(shard)}`).toBeGreaterThan(0);
      await fillClaim(namespace, claimName(prometheusName(shard, "a")), volumeSize, folder, scratch);
    }
    return history;
  }

  /** Writes the stack's config: off, or a phase of object storage. */
  configure(namespace: string, phase: StoragePhase | "off", more: StackConfig = {}): void {
    const bucket = phase === "off" ? {} : { objectStorage: { ...s3Config(namespace), phase } };
    // One of the stacks downsamples, the other one does not.
    const downsampled = namespace === stacks.fresh ? { "5m": "0s" } : {};
    const times = phase === "off" ? {} : { local: "6h", ...downsampled };
    this.workspace.writeStack(namespace, {
      ...committedConfig("dev"),
      namespace: { name: namespace, create: false },
      push: { exporterReplicas: 1, scrapeInterval: "1s" },
      // Longer than the history; a tenth of it is the longest block that Prometheus makes.
      retention: { single: "6d", ...times },
      storage: { size: volumeSize, alertmanagerSize: "64Mi", storeSize: "64Mi", compactorSize: "1Gi" },
      serversCount: shardCount,
      ...bucket,
      ...more,
    });
  }

  /** The same, and deploys it. */
  async deploy(namespace: string, phase: StoragePhase | "off", more: StackConfig = {}): Promise<void> {
    this.configure(namespace, phase, more);
    await this.workspace.mustTool(["up", namespace, "--no-feed"]);
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

  /** Every sample of a part of the history is answered as the ledger says, through the root. */
  async equalsLedger(history: History, from = history.start, to = history.end): Promise<void> {
    await this.with(history.run, async ({ api }) => {
      expect(await history.differences(api, from, to)).toEqual([]);
    });
  }

  /** Waits until the leaves see every wanted endpoint in a state. */
  async endpointsAre(
    namespace: string,
    what: string,
    { kind, count = shardCount }: { readonly kind: Endpoint["kind"]; readonly count?: number },
    isReached: (endpoint: Endpoint) => boolean,
  ): Promise<void> {
    await until(what, { seconds: 240, everyMilliseconds: 2_000 }, async () => {
      const seen = (await endpoints(namespace, shardCount)).filter((each) => each.kind === kind && each.shard !== "");
      return seen.length === count && seen.every(isReached);
    });
  }

  async close(): Promise<void> {
    await this.workspace.remove();
  }
}
