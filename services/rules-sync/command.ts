import { setTimeout as sleep } from "node:timers/promises";
import { flagHelp, listenAddress, milliseconds, readFlags, UsageError, type Flag } from "../plumbing/args";
import { closeServer, listen } from "../plumbing/lifecycle";
import { log } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { postReload, Reloader } from "./reloader";
import { SyncMetrics } from "./sync-metrics";
import { contentOf } from "./watched";

const flags = {
  watch: { help: "folder whose files are watched; several with commas" },
  reload: { help: "URL that is posted to when they have changed, http://127.0.0.1:10902/-/reload" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "interval-milliseconds": { help: "between looks at the files", fallback: "2000" },
  "timeout-milliseconds": { help: "for the program to answer", fallback: "30000" },
} satisfies Record<string, Flag>;

export const rulesSyncHelp = `rules-sync: makes a program read its files again when they have changed\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runRulesSync(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(rulesSyncHelp);
    return;
  }
  const opsAddress = listenAddress("ops", values.ops);
  const interval = milliseconds("interval-milliseconds", values["interval-milliseconds"]);
  const timeout = milliseconds("timeout-milliseconds", values["timeout-milliseconds"]);
  const url = reloadUrl(values.reload);
  const folders = values.watch.split(",").filter((folder) => folder !== "");
  if (folders.length === 0) throw new UsageError("--watch: names no folder");
  const metrics = new SyncMetrics();
  // Ready at once: it says nothing about the program beside it, which has a probe of its own.
  const ops = opsServer({ notReady: () => undefined, metrics: () => metrics.all.render() });
  const opsPort = await listen(ops, opsAddress);
  const reloader = new Reloader({ content: () => contentOf(folders), reload: () => postReload(url, timeout), metrics });
  log("info", "rules-sync ready", { opsPort, folders, url });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  while (!stop.signal.aborted) {
    await reloader.check();
    await sleep(interval, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  await closeServer(ops, 0);
  log("info", "stopped");
}

/** Scheme, host, port and path. */
function reloadUrl(value: string): string {
  if (/^http:\/\/[^/?#@\s]+\/[^?#\s]*$/.test(value) && URL.canParse(value)) return value;
  throw new UsageError(`--reload: ${value}: must be a URL like http://127.0.0.1:10902/-/reload (http, no query)`);
}
