/** A whole run: names it, opens its ledger, feeds, and says what came of it. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ledgerDirectory } from "../paths";
import { grouped } from "../table";
import { say } from "../terminal";
import type { FeedOptions, FeedReport, RoundReport } from "./feed";
import { runFeed } from "./feed";
import type { FleetOptions } from "./fleet";
import { makeFleet } from "./fleet";
import { LedgerWriter } from "./ledger";

/** A name that sorts by time: `r20261122-123005-3fa2`. */
export function newRunName(now = new Date()): string {
  const stamp = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return `r${stamp}-${randomBytes(2).toString("hex")}`;
}

/** Where the ledger of a run goes. */
export function ledgerPath(stack: string, run: string): string {
  return join(ledgerDirectory(stack), `${run}.jsonl`);
}

/** Opens the ledger of a new run. */
export function newLedger(path: string, run: string, fleet: FleetOptions, intervalSeconds: number): LedgerWriter {
  return LedgerWriter.create(path, { run, startedAt: Date.now(), intervalSeconds, fleet });
}

/** One line about a round. */
export function describeRound(report: RoundReport): string {
  const { round, acknowledged, pushes, samples, retries, failed, rejectedLines, milliseconds } = report;
  const extras = [
    ...(retries > 0 ? [`${grouped(retries)} retries`] : []),
    ...(failed > 0 ? [`${grouped(failed)} FAILED`] : []),
    ...(rejectedLines > 0 ? [`${grouped(rejectedLines)} samples refused`] : []),
  ];
  const extra = extras.length === 0 ? "" : `, ${extras.join(", ")}`;
  const took = (milliseconds / 1_000).toFixed(1);
  return `round ${String(round)}: ${grouped(acknowledged)}/${grouped(pushes)} pushes acknowledged, ${grouped(samples)} samples in ${took} s${extra}`;
}

/** Feeds with the ledger's own fleet and run name, and prints a line per round. */
export async function feedWithLedger(
  ledger: LedgerWriter,
  options: FeedOptions,
  onProgress?: (note: string) => void,
): Promise<FeedReport> {
  const fleet = makeFleet(ledger.header.fleet, ledger.header.run);
  try {
    return await runFeed(fleet, ledger, options, onProgress, (report) => {
      say(`    ${describeRound(report)}`);
      for (const error of report.errors) say(`      ${error}`);
    });
  } finally {
    ledger.close();
  }
}
