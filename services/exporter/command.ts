import { readFileSync } from "node:fs";
import { parseExporterConfigText, type ExporterConfig } from "../../model/exporter-config";
import { flagHelp, listenAddress, milliseconds, readFlags, UsageError, type Flag } from "../plumbing/args";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log, messageOf } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { createExporter } from "./exporter";
import { tlsFiles, tokenFile } from "./push-secrets";

const flags = {
  config: { help: "configuration file (JSON, model/exporter-config.ts); read once" },
  listen: { help: "address for pushes over HTTP", fallback: "0.0.0.0:9091" },
  "grpc-listen": { help: "address for pushes over gRPC; off: none", fallback: "0.0.0.0:9092" },
  "tls-folder": { help: "folder with tls.crt and tls.key for both; none: no TLS", fallback: "none" },
  "token-file": { help: "file with bearer tokens, one a line; none: anybody may push", fallback: "none" },
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
  const grpcAddress = values["grpc-listen"] === "off" ? undefined : listenAddress("grpc-listen", values["grpc-listen"]);
  const opsAddress = listenAddress("ops", values.ops);
  const drainDelay = milliseconds("drain-delay-milliseconds", values["drain-delay-milliseconds"]);
  const config = readConfig(values.config);
  const exporter = createExporter(config, {
    tls: mounted(values["tls-folder"], tlsFiles),
    tokens: mounted(values["token-file"], tokenFile),
  });
  let state: string | undefined = "starting";
  const ops = opsServer({
    notReady: () => state ?? exporter.notReady(),
    metrics: () => exporter.metrics.render(),
    pages: exporter.pages,
  });
  const opsPort = await listen(ops, opsAddress);
  const port = await listen(exporter.server, address);
  const grpcPort = grpcAddress === undefined ? undefined : await listen(exporter.grpc.server, grpcAddress);
  exporter.commitment.start();
  state = undefined;
  log("info", "exporter ready", { port, grpcPort, opsPort, ring: config.version, shards: config.shards.length });
  await untilStopped({
    drainDelay,
    drainLimit: exporter.longestPush,
    main: grpcPort === undefined ? [exporter.server] : [exporter.server, exporter.grpc],
    afterMain: async () => {
      await exporter.commitment.drained(config.commit.drainSeconds * 1000);
    },
    ops,
    onStop: () => {
      state = "draining";
      exporter.drain();
    },
  });
  await exporter.stop();
}

/** Files that may be there. @throws UsageError */
function mounted<T>(path: string, open: (path: string) => T): T | undefined {
  if (path === "none") return undefined;
  try {
    return open(path);
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
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
