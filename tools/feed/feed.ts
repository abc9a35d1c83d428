/** Drives a fleet: rounds of pushes at an interval, a bounded number of them at a time, everything in the ledger. */

import { setMaxListeners } from "node:events";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet, Gateway } from "./fleet";
import type { LedgerWriter } from "./ledger";
import type { PushResult } from "./pusher";
import { push } from "./pusher";
import { unitOf } from "./random";
import { renderPush } from "./render";

export interface FeedOptions {
  /** Where to POST, e.g. http://127.0.0.1:9091/metrics. */
  readonly url: string;
  /** Seconds between rounds; Magma's gateways sync every 60 s. */
  readonly intervalSeconds: number;
  /** Rounds with past timestamps (one interval apart, the last one at the start) that are sent at once. */
  readonly backfillRounds: number;
  /** Rounds after the backfill, one every interval; undefined = until the duration is over. */
  readonly rounds: number | undefined;
  /** Seconds after which no further round starts. */
  readonly durationSeconds: number;
  /** Seconds over which a round's pushes are spread; every gateway has its own place and timestamp in it. */
  readonly spreadSeconds: number;
  /** Pushes under way at the same time. */
  readonly concurrency: number;
  /** Seconds after a round's start until which its pushes are repeated. */
  readonly deadlineSeconds: number;
  /**
   * A new connection for every attempt, so that the replicas behind an address take turns; default false: connections
   * are kept, as gateways do.
   */
  readonly freshConnections?: boolean;
  /** Ends the feed: no further round or attempt starts. */
  readonly signal: AbortSignal;
}

/** What one round came to. */
export interface RoundReport {
  readonly round: number;
  /** Timestamp (ms) of the round's first push. */
  readonly timestamp: number;
  readonly pushes: number;
  readonly acknowledged: number;
  readonly samples: number;
  readonly rejectedLines: number;
  readonly retries: number;
  readonly failed: number;
  /** First errors of the pushes that failed. */
  readonly errors: readonly string[];
  readonly milliseconds: number;
}

/** What a feed came to. */
export interface FeedReport {
  readonly rounds: readonly RoundReport[];
  /** Largest timestamp (ms) that was pushed; 0 if none. */
  readonly lastTimestamp: number;
}

/** Milliseconds into a round at which `gateway` pushes. */
export function offsetOf(fleet: Fleet, gateway: Gateway, spreadSeconds: number): number {
  return Math.floor(unitOf(fleet.options.seed, 0x0ff5e7, gateway.index) * spreadSeconds * 1_000);
}

/** Lets at most `limit` pieces of work run at a time, in the order they were asked for. */
export function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

interface Tally {
  acknowledged: number;
  samples: number;
  rejectedLines: number;
  retries: number;
  readonly errors: string[];
}

function record(ledger: LedgerWriter, gateway: Gateway, timestamp: number, result: PushResult): void {
  const place = { g: gateway.index, t: timestamp };
  if (result.outcome !== "acknowledged") ledger.append({ kind: "fail", ...place, error: result.error });
  else if (result.rejected.length === 0) ledger.append({ kind: "ack", ...place, at: Date.now() });
  else ledger.append({ kind: "ack", ...place, at: Date.now(), rejected: [...result.rejected] });
}

/** Feeds until the rounds or the time are used up, or the signal comes; resolves when every push is settled. */
export async function runFeed(
  fleet: Fleet,
  ledger: LedgerWriter,
  options: FeedOptions,
  onProgress: (note: string) => void = () => undefined,
  onRound: (report: RoundReport) => void = () => undefined,
): Promise<FeedReport> {
  const agent = new Agent({ keepAlive: options.freshConnections !== true, maxSockets: options.concurrency });
  const limited = limiter(options.concurrency);
  const reports: RoundReport[] = [];
  let lastTimestamp = 0;

  const runRound = async (round: number, start: number, spreadSeconds: number): Promise<void> => {
    const startedAt = Date.now();
    const tally: Tally = { acknowledged: 0, samples: 0, rejectedLines: 0, retries: 0, errors: [] };
    let settled = 0;
    const deadline = Math.max(start, startedAt) + options.deadlineSeconds * 1_000;
    const order = fleet.gateways
      .map((gateway) => ({ gateway, timestamp: start + offsetOf(fleet, gateway, spreadSeconds) }))
      .sort((left, right) => left.timestamp - right.timestamp);
    const work = order.map(async ({ gateway, timestamp }) => {
      await sleep(Math.max(0, timestamp - Date.now()), undefined, { signal: options.signal }).catch(() => undefined);
      await limited(async () => {
        if (options.signal.aborted) return;
        const { body, samples } = renderPush(fleet, gateway, timestamp);
        ledger.append({ kind: "send", g: gateway.index, t: timestamp });
        const result = await push(body, deadline, {
          url: options.url,
          agent,
          attemptMilliseconds: 30_000,
          signal: options.signal,
        });
        record(ledger, gateway, timestamp, result);
        settled += 1;
        tally.retries += Math.max(0, result.attempts - 1);
        if (result.outcome === "acknowledged") {
          lastTimestamp = Math.max(lastTimestamp, timestamp);
          tally.acknowledged += 1;
          tally.samples += samples - result.rejected.length;
          tally.rejectedLines += result.rejected.length;
        } else tally.errors.push(`${gateway.id === "" ? "(no gateway)" : gateway.id}: ${result.error}`);
        onProgress(`round ${String(round)}: ${String(settled)}/${String(order.length)} pushes`);
      });
    });
    await Promise.all(work);
    const report: RoundReport = {
      round,
      timestamp: start,
      pushes: settled,
      acknowledged: tally.acknowledged,
      samples: tally.samples,
      rejectedLines: tally.rejectedLines,
      retries: tally.retries,
      failed: tally.errors.length,
      errors: tally.errors.slice(0, 5),
      milliseconds: Date.now() - startedAt,
    };
    reports.push(report);
    onRound(report);
  };

  // Every waiting push listens to the one signal.
  setMaxListeners(0, options.signal);
  const begin = Date.now();
  const interval = options.intervalSeconds * 1_000;
  const end = begin + options.durationSeconds * 1_000;
  try {
    for (let round = 1; round <= options.backfillRounds && !options.signal.aborted; round++) {
      await runRound(round, begin - (options.backfillRounds - round) * interval, 0);
    }
    // Rounds may overlap while pushes of the last one are being repeated; that is what gateways do, too.
    const running: Promise<void>[] = [];
    const first = options.backfillRounds > 0 ? begin + interval : begin;
    for (let index = 0; options.rounds === undefined || index < options.rounds; index++) {
      const start = first + index * interval;
      if (start >= end) break;
      await sleep(Math.max(0, start - Date.now()), undefined, { signal: options.signal }).catch(() => undefined);
      if (options.signal.aborted) break;
      running.push(runRound(options.backfillRounds + index + 1, start, options.spreadSeconds));
    }
    await Promise.all(running);
  } finally {
    agent.destroy();
  }
  return { rounds: [...reports].sort((left, right) => left.round - right.round), lastTimestamp };
}
