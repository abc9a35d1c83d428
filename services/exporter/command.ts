import { readFileSync } from "node:fs";
import { parseExporterConfigText, type ExporterConfig } from "../../model/exporter-config";
import { flagHelp, listenAddress, milliseconds, readFlags, UsageError, type Flag } from "../plumbing/args";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log, messageOf } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { createExporter } from "./exporter";

const flags = {
  config: { help: "configuration file (JSON, model/exporter-config.ts); read once" },
  listen: { help: "address for pushes", fallback: "0.0.0.0:9091" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "drain-delay-milliseconds": { help: "from SIGTERM to closing the push port", fallback: "5000" },
} satisfies Record<string, Flag>;

export const exporterHelp = `exporter: takes pushes and writes each series to the hub of its shard\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runExporter(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(exporterHelp);
    return;
  }
  const address = listenAddress("listen", values.listen);
  const opsAddress = listenAddress("ops", values.ops);
  const drainDelay = milliseconds("drain-delay-milliseconds", values["drain-delay-milliseconds"]);
  const config = readConfig(values.config);
  const exporter = createExporter(config);
  let state: string | undefined = "starting";
  const ops = opsServer({
    notReady: () => state ?? exporter.notReady(),
    metrics: () => exporter.metrics.all.render(),
    pages: exporter.pages,
  });
  const opsPort = await listen(ops, opsAddress);
  const port = await listen(exporter.server, address);
  state = undefined;
  log("info", "exporter ready", { port, opsPort, ring: config.version, shards: config.shards.length });
  await untilStopped({
    drainDelay,
    drainLimit: exporter.longestPush,
    main: exporter.server,
    ops,
    onStop: () => {
      state = "draining";
      exporter.drain();
    },
  });
  exporter.stop();
}

function readConfig(path: string): ExporterConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--config: ${path}: can't be read: ${messageOf(error)}`);
  }
  return parseExporterConfigText(text);
}
