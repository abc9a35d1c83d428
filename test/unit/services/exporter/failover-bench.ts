import type { ExporterConfig } from "../../../../model/exporter-config";
import { shardOrder } from "../../../../model/ring";
import { BatchNumbers } from "../../../../services/exporter/batch-numbers";
import { parseExposition } from "../../../../services/exporter/exposition";
import { ExporterMetrics } from "../../../../services/exporter/exporter-metrics";
import { Failover, type Placement } from "../../../../services/exporter/failover";
import type { HubOutcome } from "../../../../services/exporter/hub-client";
import { Marking } from "../../../../services/exporter/marking";
import { SeenMoves } from "../../../../services/exporter/moves";
import { Router } from "../../../../services/exporter/route";
import { ShardWriter } from "../../../../services/exporter/shard-writer";
import { exporterConfigOf } from "./exporter-config-of";

const stored: HubOutcome = { kind: "stored" };

/** An exporter's back end whose hubs answer as `moods` says, by hub URL; what they took is in `taken`. */
export class Bench {
  readonly config: ExporterConfig;
  readonly metrics: ExporterMetrics;
  readonly moods = new Map<string, HubOutcome>();
  /** Called while a hub has a push in hand. */
  whilePushing: () => void = () => undefined;
  /** Positions of the shards that the placement has all exporters pass over. */
  readonly passedOver = new Set<number>();
  readonly router: Router;
  readonly writers: readonly ShardWriter[];
  readonly taken = new Map<string, string[]>();
  /** The last line of every write that a hub took. */
  readonly numbers = new Map<string, string[]>();
  readonly asked: string[] = [];
  /** Series that were ended: position of the shard, series, timestamp. */
  readonly ended: string[] = [];
  /** Milliseconds since the epoch, for what remembers moves. */
  now = 0;
  readonly #failover: Failover;

  constructor(shards: number, replicas = 1) {
    const urls = Array.from({ length: shards }, (_, index) =>
      ["a", "b"].slice(0, replicas).map((replica) => `http://hub-${String(index)}-${replica}:1`),
    );
    this.config = exporterConfigOf(urls);
    this.metrics = new ExporterMetrics(this.config);
    this.writers = this.config.shards.map(
      (shard) =>
        new ShardWriter(shard, {
          metrics: this.metrics,
          timeout: 100,
          now: () => this.now,
          scrapeIntervalMilliseconds: 15_000,
          // One clock that stands still: whatever differs does so by itself.
          numbers: new BatchNumbers("e", () => 1_700_000_000_000),
          makeHub: ({ url }) => ({
            push: (body) => {
              this.asked.push(url);
              this.whilePushing();
              const outcome = this.moods.get(url) ?? stored;
              if (outcome.kind === "stored") this.#take(url, body.toString().split("\n").slice(0, -1));
              return Promise.resolve(outcome);
            },
            probe: () => Promise.resolve(false),
          }),
        }),
    );
    const router = new Router(this.config);
    this.router = router;
    const marking = new Marking({
      router,
      seen: new SeenMoves(300_000, 1_500_000),
      ender: {
        end: (position, lines) => this.ended.push(...lines.map((line) => `${String(position)} ${line.trimEnd()}`)),
      },
      now: () => this.now,
    });
    this.#failover = new Failover({
      ...{ shards: this.writers, router: this.router, marking, metrics: this.metrics, budget: 1000 },
      ...{ lookback: 300_000, now: () => this.now },
      isFailed: (position) => this.passedOver.has(position),
    });
  }

  #take(url: string, lines: readonly string[]): void {
    this.linesOf(url).push(...lines.slice(0, -1));
    this.numbers.set(url, [...(this.numbers.get(url) ?? []), ...lines.slice(-1)]);
  }

  linesOf(url: string): string[] {
    const lines = this.taken.get(url) ?? [];
    this.taken.set(url, lines);
    return lines;
  }

  async push(body: string): Promise<Placement> {
    const samples = parseExposition(Buffer.from(body), { shardLabel: "gatewayID", receiveTime: 5 });
    return await this.#failover.store(
      samples,
      Uint32Array.from({ length: samples.count }, (_, at) => at),
    );
  }

  orderOf(key: string): readonly number[] {
    return shardOrder(this.config, key).map(({ index }) => index);
  }
}
