import { vi } from "vitest";
import { shardOrder } from "../../../../model/ring";
import type { ExporterCommit, ExporterConfig } from "../../../../model/exporter-config";
import { BatchNumbers } from "../../../../services/exporter/batch-numbers";
import { CommitMetrics } from "../../../../services/exporter/commit-metrics";
import { Commitment } from "../../../../services/exporter/commitment";
import { parseExposition } from "../../../../services/exporter/exposition";
import { ExporterMetrics } from "../../../../services/exporter/exporter-metrics";
import { Failover } from "../../../../services/exporter/failover";
import type { HubOutcome } from "../../../../services/exporter/hub-client";
import { Marking } from "../../../../services/exporter/marking";
import { SeenMoves } from "../../../../services/exporter/moves";
import { Router } from "../../../../services/exporter/route";
import { ShardWriter } from "../../../../services/exporter/shard-writer";
import { exporterConfigOf } from "./exporter-config-of";

/** Seconds. */
export const INTERVAL = 15;
const TICK = 5;

/** A hub and the Prometheus that scrapes it. */
export class StandInReplica {
  readonly hubUrl: string;
  readonly prometheusUrl: string;
  /** Lines that wait for a scrape. */
  held: string[] = [];
  /** Stored samples: `series timestamp` to value. */
  readonly stored = new Map<string, string>();
  /** How often each line came to the hub. */
  readonly taken = new Map<string, number>();
  isHubUp = true;
  isPrometheusUp = true;
  /** The hub answers, and its Prometheus can't reach it. */
  isScraped = true;
  /** The hub refuses everything as bad. */
  isPicky = false;
  /** The hub answers nothing; what it was sent meanwhile waits in its connections. */
  isHung = false;
  readonly #unread: Buffer[] = [];

  constructor(shard: number, replica: string) {
    this.hubUrl = `http://hub-${String(shard)}-${replica}:1`;
    this.prometheusUrl = `http://prometheus-${String(shard)}-${replica}:1`;
  }

  push(body: Buffer): HubOutcome {
    if (!this.isHubUp) return { kind: "failed", failure: "refused", detail: "down" };
    if (this.isPicky) return { kind: "bad-payload", detail: "400" };
    if (this.isHung) {
      this.#unread.push(body);
      return { kind: "failed", failure: "timeout", detail: "no answer" };
    }
    const lines = body.toString().split("\n").slice(0, -1);
    for (const line of lines) this.taken.set(line, (this.taken.get(line) ?? 0) + 1);
    this.held.push(...lines);
    return { kind: "stored" };
  }

  /** It goes on, and reads what it was sent, unless the connections were reset. */
  resume(reads: boolean): void {
    this.isHung = false;
    for (const body of this.#unread.splice(0)) if (reads) this.push(body);
  }

  /** As kill -9 does: what it holds is gone. */
  killHub(): void {
    this.held = [];
  }

  scrape(): void {
    if (!this.isHubUp || !this.isPrometheusUp || !this.isScraped) return;
    for (const line of this.held) {
      const [series = "", value = "", timestamp = ""] = line.split(" ");
      this.stored.set(`${series} ${timestamp}`, value);
    }
    this.held = [];
  }

  numbers(from: number, to: number): Promise<ReadonlySet<number>> {
    if (!this.isPrometheusUp) return Promise.reject(new Error("connection refused"));
    const found = [...this.stored].filter(([sample]) => {
      const timestamp = Number(sample.split(" ")[1]);
      return sample.startsWith("pipeline_push_batch") && timestamp >= from && timestamp <= to;
    });
    return Promise.resolve(new Set(found.map(([, value]) => Number(value))));
  }

  has(sample: string): boolean {
    return this.stored.has(sample);
  }
}

/** An exporter's back end, its shards and their clock, which moves when told. Needs fake timers. */
export class CommitWorld {
  readonly replicas: readonly (readonly StandInReplica[])[];
  readonly config: ExporterConfig;
  readonly metrics: ExporterMetrics;
  readonly commitment: Commitment;
  /** Samples whose push was answered with success: `series timestamp`. */
  readonly acknowledged = new Set<string>();
  readonly #failover: Failover;
  readonly #writers: readonly ShardWriter[];
  #seconds = 0;

  constructor(shards: number, replicas: number, commit: Partial<ExporterCommit> = {}) {
    this.replicas = Array.from({ length: shards }, (_, shard) =>
      ["a", "b"].slice(0, replicas).map((replica) => new StandInReplica(shard, replica)),
    );
    const plain = exporterConfigOf(this.replicas.map((pair) => pair.map(({ hubUrl }) => hubUrl)));
    this.config = {
      ...plain,
      commit: { ...plain.commit, scrapeIntervalMilliseconds: INTERVAL * 1000, ...commit },
      shards: plain.shards.map((shard) => ({
        ...shard,
        hubs: shard.hubs.map((hub) => ({ ...hub, prometheusUrl: hub.url.replace("hub", "prometheus") })),
      })),
    };
    const everyReplica = this.replicas.flat();
    const now = () => Date.now();
    this.metrics = new ExporterMetrics(this.config);
    this.commitment = new Commitment(this.config, new CommitMetrics(this.metrics.all, this.config), {
      now,
      readNumbers: async (url, from, to) => {
        const replica = everyReplica.find(({ prometheusUrl }) => prometheusUrl === url);
        return (await replica?.numbers(from, to)) ?? new Set();
      },
    });
    this.#writers = this.config.shards.map(
      (shard, at) =>
        new ShardWriter(shard, {
          metrics: this.metrics,
          timeout: 100,
          now,
          scrapeIntervalMilliseconds: INTERVAL * 1000,
          kept: this.commitment.buffer.shards[at],
          numbers: new BatchNumbers("e", now),
          makeHub: ({ url }) => {
            const replica = everyReplica.find(({ hubUrl }) => hubUrl === url);
            return {
              push: (body) => Promise.resolve(replica?.push(body) ?? { kind: "bad-payload", detail: "?" }),
              probe: () => Promise.resolve(replica?.isHubUp ?? false),
            };
          },
        }),
    );
    const router = new Router(this.config);
    const ender = { end: () => undefined };
    const marking = new Marking({ router, seen: new SeenMoves(300_000, 1_500_000), ender, now });
    const times = { budget: 1000, lookback: 300_000, now };
    this.#failover = new Failover({ shards: this.#writers, router, marking, metrics: this.metrics, ...times });
    this.commitment.watch(this.#writers);
  }

  replica(shard: number, at: number): StandInReplica {
    const found = this.replicas[shard]?.[at];
    if (found === undefined) throw new Error(`no replica ${String(at)} of shard ${String(shard)}`);
    return found;
  }

  /** Index of the shard that a gateway belongs to. */
  shardOf(gateway: string): number {
    return shardOrder(this.config, gateway)[0]?.index ?? -1;
  }

  /** Pushes a sample per gateway; whether it was acknowledged. `padding`: bytes that each line has besides. */
  async push(gateways: readonly string[], padding = 0): Promise<boolean> {
    const pad = padding > 0 ? `,pad="${"x".repeat(padding)}"` : "";
    const time = String(Date.now());
    const body = gateways.map((gateway) => `m{gatewayID="${gateway}"${pad}} 1 ${time}\n`).join("");
    const samples = parseExposition(Buffer.from(body), { shardLabel: "gatewayID", receiveTime: Date.now() });
    const chosen = Uint32Array.from({ length: samples.count }, (_, at) => at);
    const { unplaced } = await this.#failover.store(samples, chosen);
    if (unplaced > 0) return false;
    for (const gateway of gateways) this.acknowledged.add(`m{gatewayID="${gateway}"${pad}} ${time}`);
    return true;
  }

  /** Lets time pass: scrapes, and looks at the replicas. */
  async pass(seconds: number): Promise<void> {
    let behind = 0;
    const catchUp = async () => {
      await vi.advanceTimersByTimeAsync(behind * 1000);
      behind = 0;
    };
    for (let passed = 0; passed < seconds; passed += 1) {
      this.#seconds += 1;
      behind += 1;
      // Not all at the same second, as in life.
      this.replicas.flat().forEach((replica, at) => {
        if ((this.#seconds + 4 * at) % INTERVAL === 0) replica.scrape();
      });
      if (this.#seconds % TICK !== 0) continue;
      await catchUp();
      await this.commitment.tick();
    }
    await catchUp();
  }

  stop(): void {
    for (const writer of this.#writers) writer.stop();
  }

  /** Acknowledged samples that no replica of any shard has. */
  nowhere(): readonly string[] {
    return [...this.acknowledged].filter((sample) => !this.replicas.flat().some((replica) => replica.has(sample)));
  }

  /** The value of one of the exporter's own metrics: the sum over label sets that hold this text. */
  metric(name: string, labels = ""): number {
    const lines = this.metrics.all.render().split("\n");
    return lines
      .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }
}
