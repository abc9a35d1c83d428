import { setTimeout as sleep } from "node:timers/promises";
import { flagHelp, listenAddress, milliseconds, readFlags, UsageError, type Flag } from "../plumbing/args";
import { closeServer, listen } from "../plumbing/lifecycle";
import { log, messageOf } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { Consumers } from "./consumers";
import { settledRuleSet } from "./rule-set";
import { RulesServer } from "./rules-server";

const flags = {
  rules: { help: "folder that prometheus-configmanager writes to" },
  consumers: { help: "names of those who evaluate the rules, with commas" },
  listen: { help: "address for consumers", fallback: "0.0.0.0:9102" },
  reload: { help: "address for prometheus-configmanager's reload", fallback: "127.0.0.1:9103" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "interval-milliseconds": { help: "between looks at the files", fallback: "2000" },
  "timeout-milliseconds": { help: "for all consumers to take a change", fallback: "25000" },
} satisfies Record<string, Flag>;

export const rulesServerHelp = `rules-server: hands the rules of prometheus-configmanager to those who evaluate them\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runRulesServer(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(rulesServerHelp);
    return;
  }
  const names = values.consumers.split(",").filter((name) => name !== "");
  if (names.length === 0) throw new UsageError("--consumers: names nobody");
  const addresses = [values.listen, values.reload, values.ops].map((value, index) =>
    listenAddress(["listen", "reload", "ops"][index] ?? "", value),
  );
  const interval = milliseconds("interval-milliseconds", values["interval-milliseconds"]);
  const reloadTimeout = milliseconds("timeout-milliseconds", values["timeout-milliseconds"]);
  const server = new RulesServer({
    read: () => settledRuleSet(values.rules),
    consumers: new Consumers(names),
    reloadTimeout,
  });
  const ops = opsServer({ notReady: () => server.notReady, metrics: () => server.renderMetrics() });
  const servers = [server.pullServer(), server.reloadServer(), ops];
  const ports = await Promise.all(
    servers.map((each, index) => listen(each, addresses[index] ?? { host: "127.0.0.1", port: 0 })),
  );
  log("info", "rules-server ready", { ports, consumers: names });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  while (!stop.signal.aborted) {
    await server.refresh().catch((error: unknown) => log("warn", "rules not read", { error: messageOf(error) }));
    await sleep(interval, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  await Promise.all(servers.map((each) => closeServer(each, 0)));
  log("info", "stopped");
}
