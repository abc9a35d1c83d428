import { PIPELINE_LABELS } from "../../model/names";
import { flagHelp, listenAddress, milliseconds, readFlags, upstreamUrl, UsageError, type Flag } from "../plumbing/args";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { CaughtUp } from "./caught-up";
import { GateMetrics } from "./gate-metrics";
import { Markers } from "./markers";
import { gateServer } from "./proxy";

const flags = {
  listen: { help: "address for clients", fallback: "0.0.0.0:9090" },
  "exporters-listen": { help: "address for exporters, which may end series too; empty: none", fallback: "" },
  cluster: { help: `label ${PIPELINE_LABELS.cluster} of the series that exporters end`, fallback: "" },
  shard: { help: `label ${PIPELINE_LABELS.shard} of the series that exporters end`, fallback: "" },
  upstream: { help: "base URL of Prometheus on loopback", fallback: "http://127.0.0.1:9095" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
  "ready-after-scrape": { help: "scrape pool that must have been scraped once; empty: none", fallback: "" },
  "drain-delay-milliseconds": { help: "from SIGTERM to closing the port", fallback: "5000" },
  "drain-limit-milliseconds": { help: "for queries under way to end", fallback: "30000" },
} satisfies Record<string, Flag>;

export const gateHelp = `gate: lets queries, metrics and readiness of Prometheus through, and exporters end series; nothing else\n${flagHelp(flags)}`;

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
  const metrics = new GateMetrics();
  let state: string | undefined = "starting";
  const ops = opsServer({ notReady: () => state, metrics: () => metrics.all.render() });
  const opsPort = await listen(ops, opsAddress);
  const pool = values["ready-after-scrape"];
  const caughtUp = pool === "" ? undefined : new CaughtUp({ upstream, pool });
  const deps = { upstream, metrics, draining: () => state !== undefined, caughtUp };
  const main = gateServer(deps);
  const servers = [main];
  const ports = [await listen(main, address)];
  const { "exporters-listen": exporters, cluster, shard } = values;
  if (exporters !== "") {
    const exportersAddress = listenAddress("exporters-listen", exporters);
    for (const name of ["cluster", "shard"] as const) {
      if (values[name] === "") throw new UsageError(`--${name} is missing: ${flags[name].help}`);
    }
    const server = gateServer({ ...deps, markers: new Markers({ upstream, metrics, labels: { cluster, shard } }) });
    servers.push(server);
    ports.push(await listen(server, exportersAddress));
  }
  state = undefined;
  log("info", "gate ready", { port: ports[0], exportersPort: ports[1], opsPort, upstream });
  await untilStopped({ drainDelay, drainLimit, main: servers, ops, onStop: () => (state = "draining") });
}
