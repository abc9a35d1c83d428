import { flagHelp, listenAddress, milliseconds, readFlags, upstreamUrl, type Flag } from "../plumbing/args";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { CaughtUp } from "./caught-up";
import { ProxyMetrics } from "../plumbing/forward";
import { gateServer } from "./proxy";

const flags = {
  listen: { help: "address for clients", fallback: "0.0.0.0:9090" },
  upstream: { help: "base URL of Prometheus on loopback", fallback: "http://127.0.0.1:9095" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "ready-after-scrape": { help: "scrape pool that must have been scraped once; empty: none", fallback: "" },
  "drain-delay-milliseconds": { help: "from SIGTERM to closing the port", fallback: "5000" },
  "drain-limit-milliseconds": { help: "for queries under way to end", fallback: "30000" },
} satisfies Record<string, Flag>;

export const gateHelp = `gate: lets queries, metrics and readiness of Prometheus through, nothing else\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runGate(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(gateHelp);
    return;
  }
  const address = listenAddress("listen", values.listen);
  const opsAddress = listenAddress("ops", values.ops);
  const drainDelay = milliseconds("drain-delay-milliseconds", values["drain-delay-milliseconds"]);
  const drainLimit = milliseconds("drain-limit-milliseconds", values["drain-limit-milliseconds"]);
  const upstream = upstreamUrl("upstream", values.upstream);
  const metrics = new ProxyMetrics();
  let state: string | undefined = "starting";
  const ops = opsServer({ notReady: () => state, metrics: () => metrics.all.render() });
  const opsPort = await listen(ops, opsAddress);
  const pool = values["ready-after-scrape"];
  const caughtUp = pool === "" ? undefined : new CaughtUp({ upstream, pool });
  const main = gateServer({ upstream, metrics, draining: () => state !== undefined, caughtUp });
  const port = await listen(main, address);
  state = undefined;
  log("info", "gate ready", { port, opsPort, upstream });
  await untilStopped({ drainDelay, drainLimit, main, ops, onStop: () => (state = "draining") });
}
