/** `feed`: a Magma-sized fleet pushes to the exporter, with a ledger of everything that was acknowledged. */

import { findDeployment, withPush } from "../deployment";
import type { FeedOptions } from "../feed/feed";
import type { FleetOptions } from "../feed/fleet";
import { defaultFleet } from "../feed/fleet";
import { LedgerWriter } from "../feed/ledger";
import { feedWithLedger, ledgerPath, newLedger, newRunName } from "../feed/run";
import type { Arguments, Command } from "../flags";
import { interruptSignal } from "../flags";
import { grouped } from "../table";
import { say, UserError } from "../terminal";

function fleetOptions(args: Arguments): FleetOptions {
  return {
    seed: args.integer("seed", defaultFleet.seed, 0, 2 ** 31),
    gateways: args.integer("gateways", defaultFleet.gateways, 1, 100_000),
    meanSeries: args.number("series", defaultFleet.meanSeries, 65, 830),
    unassignedSeries: args.integer("unassigned", defaultFleet.unassignedSeries, 0, 100_000),
    churn: args.number("churn", defaultFleet.churn, 0, 0.9),
    churnSeconds: args.seconds("churn-seconds", defaultFleet.churnSeconds, 60, 86_400),
  };
}

function openLedger(args: Arguments, intervalSeconds: number): LedgerWriter {
  const resumed = args.text("resume");
  if (resumed !== undefined) {
    for (const flag of ["run", "ledger", "seed", "gateways", "series", "unassigned", "churn", "churn-seconds"]) {
      if (args.has(flag)) throw new UserError(`--resume and --${flag} exclude each other: the ledger decides`);
    }
    return LedgerWriter.resume(resumed);
  }
  const run = args.text("run") ?? newRunName();
  if (!/^[a-zA-Z0-9._-]{1,60}$/.test(run))
    throw new UserError(`--run ${run}: letters, digits, dot, dash and underscore only`);
  return newLedger(args.text("ledger") ?? ledgerPath(args.stack, run), run, fleetOptions(args), intervalSeconds);
}

async function run(args: Arguments): Promise<number> {
  const url = args.text("url");
  const deployment = url === undefined ? await findDeployment(args.stack) : undefined;
  const intervalSeconds = args.seconds("interval", 60, 1, 3_600);
  const options: Omit<FeedOptions, "url" | "signal"> = {
    intervalSeconds,
    backfillRounds: args.integer("backfill", 0, 0, 25),
    rounds: args.has("rounds") ? args.integer("rounds", 0, 0, 1_000_000) : undefined,
    durationSeconds: args.seconds("duration", 3_600, 1, 30 * 86_400),
    spreadSeconds: args.seconds("spread", intervalSeconds / 2, 0, intervalSeconds),
    concurrency: args.integer("concurrency", 16, 1, 512),
    freshConnections: args.has("fresh-connections"),
    deadlineSeconds: args.seconds("deadline", 2 * intervalSeconds, 1, 3_600),
  };
  const ledger = openLedger(args, intervalSeconds);
  say(`==> feed ${ledger.header.run}, ledger ${ledger.path}`);
  const { signal, dispose } = interruptSignal("stopping after the pushes that are under way");
  try {
    const feed = (address: string) => feedWithLedger(ledger, { ...options, url: `${address}/metrics`, signal });
    const report =
      deployment === undefined ? await feed((url ?? "").replace(/\/+$/, "")) : await withPush(deployment, feed);
    const failed = report.rounds.reduce((total, round) => total + round.failed, 0);
    const acknowledged = report.rounds.reduce((total, round) => total + round.acknowledged, 0);
    say(
      `${grouped(report.rounds.length)} rounds, ${grouped(acknowledged)} pushes acknowledged, ${grouped(failed)} failed`,
    );
    say(`check it: make feed-check STACK=${args.stack} (ledger ${ledger.path})`);
    return failed === 0 ? 0 : 1;
  } finally {
    dispose();
  }
}

export const feedCommand: Command = {
  name: "feed",
  summary: "push a Magma-sized feed and keep a ledger of what was acknowledged",
  usage: "[STACK] [flags]",
  details: [
    "Runs until --rounds or --duration is used up, or Ctrl-C. Exit 1 when a push was given up or refused.",
    "Times are seconds, or written as 90s, 5m, 1h. Every value is a function of (seed, series, timestamp), so the ledger only holds who pushed when.",
  ],
  flags: {
    rounds: { value: "n", description: "rounds, one per interval, after the backfill", default: "until --duration" },
    duration: { value: "time", description: "no round starts later than this", default: "3600" },
    interval: { value: "time", description: "time between rounds", default: "60" },
    backfill: { value: "n", description: "rounds with past timestamps, sent at once before the others", default: "0" },
    spread: { value: "time", description: "a round's pushes are spread over this time", default: "half of --interval" },
    concurrency: { value: "n", description: "pushes under way at once", default: "16" },
    deadline: { value: "time", description: "a round's pushes are repeated for this long", default: "2 x --interval" },
    "fresh-connections": { description: "a new connection for every push, so that a Service's replicas take turns" },
    gateways: { value: "n", description: "number of gateways", default: "347" },
    series: { value: "n", description: "mean series per gateway (each has 65 to 830)", default: "298.3" },
    unassigned: { value: "n", description: "series of no gateway", default: "1500" },
    churn: { value: "share", description: "share of a gateway's series that a new session replaces", default: "0" },
    "churn-seconds": { value: "time", description: "how long a session lasts", default: "600" },
    seed: { value: "n", description: "decides sizes and values", default: "1" },
    run: { value: "name", description: "value of label feed_run", default: "a new name" },
    ledger: { value: "file", description: "where the ledger goes", default: "the stack's state directory" },
    resume: { value: "file", description: "go on with the run of this ledger" },
    url: { value: "url", description: "push here instead of through a port-forward to the stack's exporter" },
  },
  run,
};
