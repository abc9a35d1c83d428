import type { ExporterConfig } from "../../model/exporter-config";
import { seriesReportText, type FailoverReport } from "../../model/exporter-reports";
import { tableText } from "../../model/placement-table";
import type { ExporterMetrics } from "./exporter-metrics";
import type { Router } from "./route";
import { SeriesByKey } from "./series-by-key";
import type { ShardWriter } from "./shard-writer";
import { TableKeeper } from "./table-keeper";
import { TableMoves } from "./table-moves";
import { TablePuller } from "./table-puller";

/** What is placed. */
export interface PlacedDeps {
  readonly router: Router;
  readonly shards: readonly Pick<ShardWriter, "isFailing">[];
  readonly metrics: ExporterMetrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** All that an exporter has to do with the placement: it routes by its table, and tells it what it sees. */
export class Placed {
  readonly series: SeriesByKey;
  /** Which other shards held a key a short while ago: where its series have to be marked as gone. */
  readonly moves: TableMoves;
  readonly #config: ExporterConfig;
  readonly #deps: PlacedDeps;
  readonly #keeper: TableKeeper;
  readonly #puller: TablePuller;

  constructor(config: ExporterConfig, deps: PlacedDeps) {
    const { router, metrics, now } = deps;
    this.#config = config;
    this.#deps = deps;
    this.series = new SeriesByKey(now);
    let used: string | undefined;
    this.#keeper = new TableKeeper(config, (pins, version) => {
      router.usePins(pins);
      if (used !== undefined) metrics.tableInfo.delete({ version: used });
      metrics.tableInfo.set(1, { version });
      used = version;
    });
    this.moves = new TableMoves(config, () => this.#keeper.newest);
    this.#puller = new TablePuller({ url: config.placementUrl ?? "", keeper: this.#keeper, metrics, now });
    this.#puller.start();
  }

  /** Undefined when there is a table to route by. */
  get notReady(): string | undefined {
    return this.#keeper.isReady ? undefined : `no table of ring ${this.#config.version} from the placement yet`;
  }

  /** Whether some exporter found the shard at this position down a moment ago. */
  isFailed(position: number): boolean {
    const index = this.#config.shards[position]?.index;
    return index !== undefined && this.#keeper.isFailed(index, this.#deps.now());
  }

  /** What the placement reads, by path. */
  get pages(): Readonly<Record<string, () => string | undefined>> {
    return {
      "/series-by-key": () => seriesReportText(this.series.report(this.#config.shardLabel)),
      "/failovers": () => `${JSON.stringify(this.#failovers())}\n`,
      // For a placement that has lost its volume.
      "/table": () => (this.#keeper.newest === undefined ? undefined : tableText(this.#keeper.newest)),
    };
  }

  stop(): void {
    this.#puller.stop();
  }

  #failovers(): FailoverReport {
    const { version, shards } = this.#config;
    const failed = shards.filter((_, position) => this.#deps.shards[position]?.isFailing === true);
    return {
      ringVersion: version,
      table: this.#keeper.newest?.number ?? 0,
      failed: failed.map(({ index }) => index),
    };
  }
}
