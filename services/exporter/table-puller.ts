import { ask, type Asked } from "../plumbing/ask";
import { log, messageOf } from "../plumbing/log";
import type { ExporterMetrics } from "./exporter-metrics";
import type { TableKeeper } from "./table-keeper";

/** Milliseconds between two looks, and for an answer. */
const interval = 1_000;
const timeout = 2_000;

/** What the puller works with. */
export interface TablePullerDeps {
  /** Base URL of the placement. */
  readonly url: string;
  readonly keeper: TableKeeper;
  readonly metrics: ExporterMetrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Tests put their own in. */
  readonly get?: (url: string) => Promise<Asked>;
}

/** Fetches the table every second. While nobody answers, or with a bad one, the keeper has its last good copy. */
export class TablePuller {
  readonly #deps: TablePullerDeps;
  #next: NodeJS.Timeout | undefined;
  #turn: NodeJS.Timeout | undefined;
  #problem = "";
  #stopped = false;

  constructor(deps: TablePullerDeps) {
    this.#deps = deps;
    for (const result of ["new", "same", "refused", "unanswered"]) deps.metrics.tablePulls.add(0, { result });
  }

  /** Pulls until it is stopped. */
  start(): void {
    void this.pull().then(() => {
      if (this.#stopped) return;
      this.#next = setTimeout(() => this.start(), interval);
      this.#next.unref();
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#next);
    clearTimeout(this.#turn);
  }

  /** Fetches once. Never rejects. */
  async pull(): Promise<void> {
    const { url, keeper, metrics, now, get = (address: string) => ask("GET", address, timeout) } = this.#deps;
    let result = "unanswered";
    try {
      const { status, text } = await get(`${url}/table?have=${String(keeper.newest?.number ?? 0)}`);
      if (status === 304) result = "same";
      else if (status === 200) {
        result = "refused";
        keeper.take(text, now());
        result = "new";
      } else throw new Error(`answered ${String(status)}: ${text.slice(0, 200)}`);
      this.#tell("");
    } catch (error) {
      this.#tell(messageOf(error));
    }
    metrics.tablePulls.add(1, { result });
    metrics.tableNumber.set(keeper.newest?.number ?? 0);
    this.#schedule();
  }

  /** All exporters change at the same moment, not when each comes by. */
  #schedule(): void {
    const { keeper, now } = this.#deps;
    clearTimeout(this.#turn);
    const wait = keeper.wait(now());
    if (wait === undefined || this.#stopped) return;
    this.#turn = setTimeout(() => {
      keeper.turn(now());
      this.#schedule();
    }, wait);
    this.#turn.unref();
  }

  /** Logs a problem once, and its end. */
  #tell(problem: string): void {
    if (problem === this.#problem) return;
    if (problem === "") log("info", "the table comes again");
    else log("warn", "no new table: the last good one stays", { problem });
    this.#problem = problem;
  }
}
