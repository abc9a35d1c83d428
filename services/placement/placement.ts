import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { parseFailoverReport, parseSeriesReport, seriesOf } from "../../model/exporter-reports";
import type { PlacementConfig } from "../../model/placement-config";
import { parseTableText, tableText, type PlacementTable } from "../../model/placement-table";
import { answer } from "../plumbing/answers";
import { log, messageOf } from "../plumbing/log";
import { doubtOf, totalOf, type Doubt } from "./doubts";
import { Exporters, exportersBehind, good, type FindExporters } from "./exporters";
import { PlacementMetrics } from "./placement-metrics";
import type { Stored, TableStore } from "./table-store";
import { TableWriter } from "./table-writer";

/** How often, and how patiently, things are done; in milliseconds. */
export interface PlacementTimes {
  /** Between two looks at what exporters can't reach, and for their answers. */
  readonly failovers: number;
  readonly failoversTimeout: number;
  /** Between two looks at the series, and for their answers. */
  readonly series: number;
  readonly seriesTimeout: number;
  /** How long an exporter must have been counting: a gateway pushes every minute. */
  readonly settled: number;
  /** How long half of the series must have been gone until that is believed. */
  readonly halved: number;
  /** From a change of pins to its effect: each exporter looks every second, and may miss a few looks. */
  readonly notice: number;
}

const defaultTimes: PlacementTimes = {
  failovers: 1_000,
  failoversTimeout: 2_000,
  series: 15_000,
  seriesTimeout: 10_000,
  settled: 90_000,
  halved: 3_600_000,
  notice: 5_000,
};

/** Tries to get a table from the exporters where the volume has none, a second apart. */
const recoveryTries = 5;

/** What tests may replace. */
export interface PlacementOptions {
  readonly find?: FindExporters;
  readonly now?: () => number;
  readonly times?: Partial<PlacementTimes>;
}

/**
 * The one writer of the table that all exporters route by. `GET /table?have=<number>`: the table, or 304 for who has it.
 * `GET /ring`: the same as it is in effect now, for writers that follow services/exporter/RING.md by themselves.
 */
export class Placement {
  readonly metrics: PlacementMetrics;
  readonly server: Server;
  readonly #config: PlacementConfig;
  readonly #store: TableStore;
  readonly #exporters: Exporters;
  readonly #now: () => number;
  readonly #times: PlacementTimes;
  readonly #timers = new Set<NodeJS.Timeout>();
  #writer: TableWriter | undefined;
  #text = "";
  /** The table with the pins before the newest. */
  #before: PlacementTable | undefined;
  #served: PlacementTable | undefined;
  #doubt: Doubt["kind"] | undefined;
  #halvedSince: number | undefined;
  #stopped = false;

  constructor(config: PlacementConfig, store: TableStore, options: PlacementOptions = {}) {
    this.#config = config;
    this.#store = store;
    this.#exporters = new Exporters(options.find ?? exportersBehind(config.exporters));
    this.#now = options.now ?? Date.now;
    this.#times = { ...defaultTimes, ...options.times };
    this.metrics = new PlacementMetrics(config.shards);
    this.server = createServer((request, response) => {
      request.resume();
      this.#answer(request, response);
    });
  }

  /** Undefined when there is a table. */
  get notReady(): string | undefined {
    return this.#served === undefined ? "there is no table yet" : undefined;
  }

  get table(): PlacementTable | undefined {
    return this.#served;
  }

  /** Publishes the stored table, or one without pins, and keeps it up to date until it is stopped. */
  async start(): Promise<void> {
    const stored = this.#stored() ?? (await this.#recovered());
    this.#writer = new TableWriter(
      { config: this.#config, now: this.#now, notice: this.#times.notice, publish: (next) => this.#publish(next) },
      stored,
    );
    this.#serve(this.#writer.table);
    this.#repeat(this.#times.failovers, () => this.lookAtFailovers());
    this.#repeat(this.#times.series, () => this.lookAtSeries());
  }

  stop(): void {
    this.#stopped = true;
    this.#timers.forEach((timer) => clearTimeout(timer));
  }

  /** Asks the exporters which shards they can't reach. */
  async lookAtFailovers(): Promise<void> {
    const read = this.#times.failoversTimeout;
    const survey = await this.#exporters.survey("/failovers", read, (one) => parseFailoverReport(good(one)));
    this.#writer?.observe(survey.answers, survey.problems.length === 0);
  }

  /** Asks the exporters for their series and plans by them, if they can be believed. */
  async lookAtSeries(): Promise<void> {
    const read = this.#times.seriesTimeout;
    const survey = await this.#exporters.survey("/series-by-key", read, (one) => parseSeriesReport(good(one)));
    const writer = this.#writer;
    if (writer === undefined) return;
    const series = seriesOf(survey.answers);
    const doubt = doubtOf(survey, series, {
      shardLabel: this.#config.shardLabel,
      exporters: this.#config.exporterReplicas,
      settled: this.#times.settled,
      lastTotal: writer.total,
    });
    if (doubt !== undefined && !this.#isOld(doubt)) {
      if (doubt.kind !== this.#doubt) log("warn", "series not believed: the table stays", { ...doubt });
      this.#doubt = doubt.kind;
      this.metrics.doubt(doubt, survey.answers.length);
      return;
    }
    if (this.#doubt !== undefined)
      log("info", "series are believed", { series: totalOf(series), before: writer.total });
    this.#doubt = undefined;
    this.#halvedSince = undefined;
    this.metrics.believe(survey.answers.length, this.#now());
    const plan = writer.place(series);
    if (plan !== undefined) this.metrics.plan(plan, series.size);
  }

  /** Series may be gone for good: after some time that is how it is. */
  #isOld({ kind }: Doubt): boolean {
    // An exporter that is away for a moment says nothing about the series.
    if (kind !== "halved" && kind !== "empty") return false;
    this.#halvedSince ??= this.#now();
    return this.#now() - this.#halvedSince >= this.#times.halved;
  }

  #stored(): Stored | undefined {
    try {
      return this.#store.read();
    } catch (error) {
      log("error", "what is stored can't be used; it is put aside", { error: messageOf(error) });
      return undefined;
    }
  }

  /** The newest table that an exporter has, where the volume has none: keys stay where they are. */
  async #recovered(): Promise<Stored | undefined> {
    for (let attempt = 1; attempt <= recoveryTries && !this.#stopped; attempt += 1) {
      const survey = await this.#exporters.survey("/table", this.#times.failoversTimeout, (one) =>
        // An exporter that has none yet is a good answer too.
        one.status === 404 ? undefined : parseTableText(good(one)),
      );
      const tables = survey.answers.filter((table) => table !== undefined);
      const [newest] = tables.sort((left, right) => right.number - left.number);
      if (newest !== undefined) {
        log("warn", "no table on the volume: an exporter's is taken", { number: newest.number });
        return { table: newest, keys: new Map() };
      }
      if (survey.problems.length === 0) return undefined;
      log("warn", "no table on the volume, and exporters don't answer", { attempt, problems: survey.problems });
      if (attempt < recoveryTries) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    return undefined;
  }

  #publish(stored: Stored): void {
    this.#store.write(stored);
    if (this.#writer !== undefined) this.#serve(stored.table);
  }

  #serve(table: PlacementTable): void {
    if (table === this.#served) return;
    if (this.#served?.pins !== table.pins) this.#before = this.#served;
    this.#served = table;
    this.#text = tableText(table);
    this.metrics.tell(table, this.#now());
    const { number, effectiveAt, pins, failed } = table;
    log("info", "table published", { number, effectiveAt, pins: pins.size, failed });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // Not new URL(): it throws at some of what clients may ask for.
    const [path = "", parameters = ""] = (request.url ?? "").split("?", 2);
    if (request.method !== "GET" || !["/table", "/ring"].includes(path)) {
      answer(response, 404, "GET /table and GET /ring are all there is\n");
      return;
    }
    const table = this.#served;
    if (table === undefined) {
      answer(response, 503, `${this.notReady ?? ""}\n`, { "retry-after": "1" });
      return;
    }
    const json = { "content-type": "application/json" };
    if (path === "/ring") {
      const isPending = this.#now() < table.effectiveAt;
      answer(response, 200, isPending && this.#before !== undefined ? tableText(this.#before) : this.#text, json);
    } else if (new URLSearchParams(parameters).get("have") === String(table.number)) answer(response, 304, "");
    else answer(response, 200, this.#text, json);
  }

  /** Does something again and again, never twice at a time. */
  #repeat(interval: number, look: () => Promise<void>): void {
    const again = (): void => {
      if (this.#stopped) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        look()
          .catch((error: unknown) => log("error", "look failed", { error: messageOf(error) }))
          .finally(again);
      }, interval);
      this.#timers.add(timer);
    };
    again();
  }
}
