import { readFileSync } from "node:fs";
import { parsePlacementConfigText, type PlacementConfig } from "../../model/placement-config";
import { flagHelp, listenAddress, readFlags, UsageError, type Flag } from "../plumbing/args";
import { listen, untilStopped } from "../plumbing/lifecycle";
import { log, messageOf } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { Placement } from "./placement";
import { TableStore } from "./table-store";

const flags = {
  config: { help: "configuration file (JSON, model/placement-config.ts); read once" },
  data: { help: "folder for the table, on a volume of its own" },
  listen: { help: "address for exporters", fallback: "0.0.0.0:9104" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8080" },
} satisfies Record<string, Flag>;

export const placementHelp = `placement: publishes the table that all exporters route by\n${flagHelp(flags)}`;

/** Milliseconds for requests under way at a stop: a table is sent in less. */
const drainLimit = 2_000;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runPlacement(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(placementHelp);
    return;
  }
  const address = listenAddress("listen", values.listen);
  const opsAddress = listenAddress("ops", values.ops);
  const config = readConfig(values.config);
  const placement = new Placement(config, new TableStore(values.data));
  let state: string | undefined;
  const ops = opsServer({
    notReady: () => state ?? placement.notReady,
    metrics: () => placement.metrics.all.render(),
  });
  const opsPort = await listen(ops, opsAddress);
  const port = await listen(placement.server, address);
  await placement.start();
  log("info", "placement ready", { port, opsPort, ring: config.version, shards: config.shards.length });
  await untilStopped({
    drainDelay: 0,
    drainLimit,
    main: [placement.server],
    ops,
    onStop: () => {
      state = "stopping";
      placement.stop();
    },
  });
}

function readConfig(path: string): PlacementConfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--config: ${path}: can't be read: ${messageOf(error)}`);
  }
  return parsePlacementConfigText(text);
}
