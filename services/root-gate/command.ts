import { readFileSync } from "node:fs";
import { parseRootGateConfigText, type RootGateConfig } from "../../model/root-gate-config";
import { flagHelp, listenAddress, milliseconds, readFlags, upstreamUrl, UsageError, type Flag } from "../plumbing/args";
import { ProxyMetrics } from "../plumbing/forward";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log, messageOf } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { SeenEndpoints } from "./seen-endpoints";
import { SeriesFanOut } from "./series-fan-out";
import { rootGateServer } from "./server";

const flags = {
  config: { help: "endpoints that the root must have seen (JSON, model/root-gate-config.ts); read once" },
  listen: { help: "address for clients", fallback: "0.0.0.0:10902" },
  upstream: { help: "base URL of the root Querier on loopback", fallback: "http://127.0.0.1:10912" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "drain-delay-milliseconds": { help: "from SIGTERM to closing the port", fallback: "5000" },
  "drain-limit-milliseconds": { help: "for queries under way to end", fallback: "120000" },
} satisfies Record<string, Flag>;

export const rootGateHelp = `root-gate: refuses queries until the root Querier has seen every endpoint of its file\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runRootGate(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(rootGateHelp);
    return;
  }
  const address = listenAddress("listen", values.listen);
  const opsAddress = listenAddress("ops", values.ops);
  const drainDelay = milliseconds("drain-delay-milliseconds", values["drain-delay-milliseconds"]);
  const drainLimit = milliseconds("drain-limit-milliseconds", values["drain-limit-milliseconds"]);
  const upstream = upstreamUrl("upstream", values.upstream);
  const { endpoints: expected } = readConfig(values.config);
  const metrics = new ProxyMetrics();
  let state: string | undefined = "starting";
  const ops = opsServer({ notReady: () => state, metrics: () => metrics.all.render() });
  const opsPort = await listen(ops, opsAddress);
  const seen = new SeenEndpoints({ upstream, expected });
  const explain = (text: string) => seen.explain(text);
  const series = new SeriesFanOut(upstream, expected);
  const main = rootGateServer({ upstream, metrics, seen, series, explain, draining: () => state !== undefined });
  const port = await listen(main, address);
  state = undefined;
  log("info", "root gate ready", { port, opsPort, upstream, endpoints: expected.length });
  await untilStopped({ drainDelay, drainLimit, main: [main], ops, onStop: () => (state = "draining") });
  series.close();
}

function readConfig(path: string): RootGateConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--config: ${path}: can't be read: ${messageOf(error)}`);
  }
  return parseRootGateConfigText(text);
}
