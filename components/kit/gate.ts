import type { types } from "@pulumi/kubernetes";
import { PORTS } from "../../model/names";
import type { Platform } from "./platform";
import { serviceContainer } from "./pod";
import { quickProbes } from "./probes";
import { NOBODY_UID } from "./security";

/** Where the Prometheus of the same pod listens. */
export const GATE_UPSTREAM = `http://127.0.0.1:${String(PORTS.prometheus)}`;

/** Name of the container port for exporters. */
export const EXPORTERS_PORT = "exporters";

/** What the gate before a shard's Prometheus does more than one before another Prometheus. */
export interface ShardGateArgs {
  /** Scrape job whose targets buffer while Prometheus is away: it is ready when it has what they kept. */
  readonly readyAfterScrape: string;
  /** Labels of the series that exporters may end. */
  readonly cluster: string;
  readonly shard: number;
}

/**
 * The container through which others reach the Prometheus of the same pod, as user "nobody".
 * @param ofShard Absent: it is no shard's.
 */
export function gateContainer(platform: Platform, ofShard?: ShardGateArgs): types.input.core.v1.Container {
  return serviceContainer(platform, {
    name: "gate",
    args: [
      "--listen",
      `0.0.0.0:${String(PORTS.gate)}`,
      "--upstream",
      GATE_UPSTREAM,
      "--ops",
      `0.0.0.0:${String(PORTS.ops)}`,
      ...(ofShard === undefined ? [] : shardFlags(ofShard)),
    ],
    ports: {
      http: PORTS.gate,
      ops: PORTS.ops,
      ...(ofShard === undefined ? {} : { [EXPORTERS_PORT]: PORTS.gateExporters }),
    },
    probes: quickProbes("ops"),
    mounts: {},
    uid: NOBODY_UID,
  });
}

function shardFlags({ readyAfterScrape, cluster, shard }: ShardGateArgs): readonly string[] {
  return [
    "--ready-after-scrape",
    readyAfterScrape,
    "--exporters-listen",
    `0.0.0.0:${String(PORTS.gateExporters)}`,
    "--cluster",
    cluster,
    "--shard",
    String(shard),
  ];
}
