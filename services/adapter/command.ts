import { readFileSync } from "node:fs";
import { parseAdapterConfigText, type AdapterConfig } from "../../model/adapter-config";
import { flagHelp, listenAddress, milliseconds, readFlags, UsageError, type Flag } from "../plumbing/args";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log, messageOf } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { createAdapter } from "./adapter";

const flags = {
  config: { help: "configuration file (JSON, model/adapter-config.ts); read once" },
  listen: { help: "address for Thanos' gRPC APIs", fallback: "0.0.0.0:10901" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "drain-delay-milliseconds": { help: "from SIGTERM to closing the gRPC port", fallback: "5000" },
  "drain-limit-milliseconds": { help: "for queries under way to end", fallback: "120000" },
} satisfies Record<string, Flag>;

export const adapterHelp = `adapter: answers a root Querier for one shard, by its Prometheus or by its leaf\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runAdapter(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(adapterHelp);
    return;
  }
  const address = listenAddress("listen", values.listen);
  const opsAddress = listenAddress("ops", values.ops);
  const drainDelay = milliseconds("drain-delay-milliseconds", values["drain-delay-milliseconds"]);
  const drainLimit = milliseconds("drain-limit-milliseconds", values["drain-limit-milliseconds"]);
  const config = readConfig(values.config);
  const adapter = createAdapter(config);
  let state: string | undefined = "starting";
  const ops = opsServer({ notReady: () => state, metrics: () => adapter.metrics() });
  const opsPort = await listen(ops, opsAddress);
  const port = await listen(adapter.server.server, address);
  // Whatever is behind it: a root must list this shard, so that its loss is an error.
  state = undefined;
  log("info", "adapter ready", { port, opsPort, shard: config.shard, replicas: config.replicas.length });
  await untilStopped({
    drainDelay,
    drainLimit,
    main: [adapter.server],
    ops,
    onStop: () => {
      state = "draining";
      adapter.drain();
    },
  });
  adapter.stop();
}

function readConfig(path: string): AdapterConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--config: ${path}: can't be read: ${messageOf(error)}`);
  }
  return parseAdapterConfigText(text);
}
