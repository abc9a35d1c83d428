import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readLedger, type LedgerContents } from "../../../tools/feed/ledger";
import { ledgerDirectory } from "../../../tools/paths";
import { lastLines, type BackgroundCommand } from "./command";
import { until } from "./wait";
import type { Workspace } from "./workspace";

/** A small fleet, so that a round takes no time. */
const fleet = ["--gateways", "30", "--series", "80", "--unassigned", "50"];

/** How a feed reaches the exporters; default: as `make feed` does, through a port-forward to one of them. */
export interface FeedRoute {
  /** Goes before the command, such as nsenter. */
  readonly prefix: readonly string[];
  /** More flags of `feed`. */
  readonly flags: readonly string[];
}

/** Pushes of these gateways (by number) that were acknowledged between two times, ms of the wall clock. */
export interface Doubtful {
  readonly from: number;
  readonly to: number;
  readonly gateways: ReadonlySet<number>;
}

/** A feed in the background, and what its ledger says. */
export class Feed {
  private running: BackgroundCommand | undefined;

  /**
   * @param interval Seconds between two rounds.
   * @param name Name of its ledger, for a feed that others run beside; default: the newest ledger of the stack is its own.
   */
  constructor(
    private readonly workspace: Workspace,
    private readonly stack: string,
    private readonly interval: number,
    private readonly name?: string,
  ) {}

  /** Starts it and waits for its first acknowledgements. */
  async start(route: FeedRoute = { prefix: [], flags: [] }): Promise<void> {
    const pace = ["--interval", String(this.interval), "--duration", "1800", "--deadline", "60"];
    const ledger = this.name === undefined ? [] : ["--ledger", this.named(this.name)];
    const args = ["feed", this.stack, ...fleet, ...pace, ...ledger, ...route.flags];
    this.running = this.workspace.startTool(args, route.prefix);
    await this.nextRound();
  }

  /** Waits until a whole round that begins from now on is acknowledged; fails when the feed has ended. */
  async nextRound(): Promise<void> {
    const { running } = this;
    if (running === undefined) throw new Error("needs the feed of an earlier test, which does not run");
    const ended = running.done.then((result) => {
      throw new Error(`the feed ended with ${String(result.code)}:\n${lastLines(result)}`);
    });
    const begin = Date.now();
    const acknowledged = until("a round of acknowledged pushes", { seconds: 90 }, () => {
      const recent = this.records().flatMap((record) => (record.kind === "ack" && record.t >= begin ? [record.g] : []));
      return Promise.resolve(new Set(recent).size > 30);
    });
    await Promise.race([acknowledged, ended]);
  }

  /** Waits for a moment at which a push is under way: sent from now on, and not answered. */
  async pushing(): Promise<void> {
    const begin = Date.now();
    await until("a push under way", { seconds: 30, everyMilliseconds: 10 }, () => {
      const last = this.records().at(-1);
      return Promise.resolve(last?.kind === "send" && last.t >= begin);
    });
  }

  /** Ends it after the pushes under way. */
  async stop(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    await running?.interrupt();
  }

  /** Pushes that were given up so far, except those that were under way when the feed was stopped. */
  failures(): readonly string[] {
    const errors = this.records().flatMap((record) => (record.kind === "fail" ? [record.error] : []));
    return errors.filter((error) => !error.startsWith("stopped"));
  }

  /** Its label `feed_run`. */
  run(): string {
    return this.contents().header.run;
  }

  /** All that its ledger says so far. */
  contents(): LedgerContents {
    return readLedger(this.ledger());
  }

  private named(name: string): string {
    return join(this.workspace.scratch("ledgers"), `${name}.jsonl`);
  }

  /** Path of a copy of its ledger in which these pushes were sent and not acknowledged: they may be stored or not. */
  doubting({ from, to, gateways }: Doubtful): string {
    const { header, records } = this.contents();
    const kept = records.filter(
      (record) => record.kind !== "ack" || record.at < from || record.at > to || !gateways.has(record.g),
    );
    const path = join(this.workspace.scratch("ledgers"), `${header.run}-doubtful.jsonl`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, [header, ...kept].map((each) => `${JSON.stringify(each)}\n`).join(""));
    return path;
  }

  /** Path of its ledger. */
  ledger(): string {
    if (this.name !== undefined) return this.named(this.name);
    const folder = ledgerDirectory(this.stack, { SCALED_PROMETHEUS_BACKEND_DIR: this.workspace.state });
    // Named by their time.
    const name = existsSync(folder) ? readdirSync(folder).sort().at(-1) : undefined;
    if (name === undefined) throw new Error(`no ledger in ${folder} yet`);
    return join(folder, name);
  }

  private records() {
    return this.contents().records;
  }
}
