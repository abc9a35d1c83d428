import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PIPELINE_LABELS, shardName } from "../../../model/names";
import { shardOrder } from "../../../model/ring";
import { defaultFleet, makeFleet, type Fleet, type Gateway } from "../../../tools/feed/fleet";
import { valueAt } from "../../../tools/feed/values";
import type { Labels, PrometheusApi } from "../../../tools/prometheus-api";
import { mustRun } from "../kit/command";

const hour = 3_600_000;
/** Milliseconds between two samples of a series. */
const step = hour / 6;
/** Milliseconds that one query of {@link History.differences} covers. */
const window = 12 * hour;

/** Samples of days ago, which no exporter would take: a small fleet, laid down as blocks, with its ledger. */
export class History {
  readonly run: string;
  /** First and last timestamp, in milliseconds; the last is old enough that a Prometheus would have cut its block. */
  readonly start: number;
  readonly end: number;
  private readonly fleet: Fleet;

  constructor(
    private readonly shards: number,
    hours: number,
    run: string,
  ) {
    this.run = run;
    this.end = Math.floor((Date.now() - 3 * hour) / (2 * hour)) * 2 * hour - step;
    this.start = this.end + step - hours * hour;
    this.fleet = makeFleet({ ...defaultFleet, seed: 11, gateways: 4, meanSeries: 65, unassignedSeries: 20 }, run);
  }

  /** Which shard the ring gives a gateway's series to. */
  private shardOf(gateway: Gateway): number {
    const shards = Array.from({ length: this.shards }, (_, index) => ({ index, name: shardName(index) }));
    return shardOrder({ homeShard: 0, shards }, gateway.id)[0]?.index ?? 0;
  }

  /** Samples of each series. */
  get samples(): number {
    return (this.end - this.start) / step + 1;
  }

  /** Number of series of a shard, or of all. */
  series(shard?: number): number {
    const gateways = this.fleet.gateways.filter((gateway) => shard === undefined || this.shardOf(gateway) === shard);
    return gateways.reduce((sum, gateway) => sum + this.fleet.seriesAt(gateway, this.start).length, 0);
  }

  /** Writes the blocks of a shard, of two hours each, as its Prometheus would have; gives their folder. */
  async blocks(shard: number, scratch: string): Promise<string> {
    const text = join(scratch, `${shardName(shard)}.txt`);
    const folder = join(scratch, shardName(shard));
    mkdirSync(folder, { recursive: true });
    writeFileSync(text, this.openMetrics(shard));
    const command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", text, folder];
    await mustRun(command, { cwd: scratch, env: process.env });
    rmSync(text);
    if (readdirSync(folder).length === 0) throw new Error(`promtool made no block of ${shardName(shard)}`);
    return folder;
  }

  private openMetrics(shard: number): string {
    const own = `${PIPELINE_LABELS.cluster}="main",${PIPELINE_LABELS.shard}="${String(shard)}"}`;
    const series = this.fleet.gateways
      .filter((gateway) => this.shardOf(gateway) === shard)
      .flatMap((gateway) => this.fleet.seriesAt(gateway, this.start));
    const lines: string[] = [];
    for (let at = this.start; at <= this.end; at += step) {
      for (const each of series) {
        lines.push(`${each.key.slice(0, -1)},${own} ${String(valueAt(each, at))} ${String(at / 1_000)}`);
      }
    }
    return `${lines.join("\n")}\n# EOF\n`;
  }

  /**
   * Asks the root for every sample from `from` to `to` and compares each with the ledger: values, timestamps, labels.
   * Empty when all is well.
   */
  async differences(api: PrometheusApi, from = this.start, to = this.end): Promise<readonly string[]> {
    const found: string[] = [];
    for (let begin = from - 1; begin < to; begin += window) {
      const end = Math.min(begin + window, to);
      found.push(...(await this.differencesWithin(api, begin, end)));
      if (found.length >= 10) break;
    }
    return found.slice(0, 10);
  }

  /** The same for timestamps in (begin, end]. */
  private async differencesWithin(api: PrometheusApi, begin: number, end: number): Promise<readonly string[]> {
    const answer = await api.query(`{feed_run="${this.run}"}[${String(end - begin)}ms]`, end);
    if (answer.type !== "matrix") throw new Error(`a range selector gave a ${answer.type}`);
    const found: string[] = answer.warnings.map((warning) => `warning: ${warning}`);
    const answered = new Map<string, string>();
    for (const { labels, values } of answer.series) {
      const key = keyOf(labels);
      if (answered.has(key)) found.push(`${key}: twice`);
      answered.set(key, values.map(([at, value]) => `${String(at)}:${String(value)}`).join(" "));
    }
    const timestamps: number[] = [];
    for (let at = this.start; at <= this.end; at += step) if (at > begin && at <= end) timestamps.push(at);
    for (const gateway of this.fleet.gateways) {
      const shard = String(this.shardOf(gateway));
      for (const series of this.fleet.seriesAt(gateway, this.start)) {
        const key = `${series.key} of shard ${shard}`;
        const wanted = timestamps.map((at) => `${String(at)}:${String(valueAt(series, at))}`).join(" ");
        const given = answered.get(key) ?? "";
        answered.delete(key);
        if (given !== wanted) found.push(`${key}: ${firstDifference(wanted.split(" "), given.split(" "))}`);
      }
    }
    return [...found, ...[...answered.keys()].map((key) => `${key}: in no ledger`)];
  }
}

function keyOf(labels: Labels): string {
  const { __name__: name = "", cluster = "", shard = "", ...own } = labels;
  const pairs = Object.entries(own)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([label, value]) => `${label}="${value}"`);
  return `${name}{${pairs.join(",")}} of shard ${shard}${cluster === "main" ? "" : ` and cluster ${cluster}`}`;
}

function firstDifference(wanted: readonly string[], given: readonly string[]): string {
  const at = wanted.findIndex((sample, index) => sample !== given[index]);
  const counts = `${String(given.length)} samples instead of ${String(wanted.length)}`;
  return at < 0 ? counts : `${counts}, first difference ${String(given[at])} instead of ${String(wanted[at])}`;
}
