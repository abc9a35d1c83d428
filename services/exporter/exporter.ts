import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import type { ExporterConfig } from "../../model/exporter-config";
import { answerJson } from "../plumbing/answers";
import { log, messageOf } from "../plumbing/log";
import { BatchNumbers } from "./batch-numbers";
import { ExporterMetrics } from "./exporter-metrics";
import { Failover } from "./failover";
import { GateMarkerClient, type MarkerClient } from "./marker-client";
import { Marking } from "./marking";
import { SeenMoves, type Moves } from "./moves";
import { PushHandler } from "./push-handler";
import { Router } from "./route";
import { ShardWriter, type HubFactory } from "./shard-writer";
import { StaleMarkers } from "./stale-markers";

/** Shards that a push may wait for one after another until their timeout before the client is told to come again. */
const timeoutsPerPush = 3;
/** Milliseconds for a client to send its head, and its whole push. */
const headersTimeout = 10_000;
const requestTimeout = 60_000;
/** Longer than the idle time of usual clients and load balancers (60 s), so that it is they who close a connection. */
const keepAliveTimeout = 75_000;

/** Milliseconds that staleness markers get at a stop. */
const lastMarkers = 5_000;

/** An exporter without its ports. */
export interface Exporter {
  readonly server: Server;
  readonly metrics: ExporterMetrics;
  /** Milliseconds that a push may take at most once its body is here. */
  readonly longestPush: number;
  /** From now on every answer ends its connection. */
  readonly drain: () => void;
  /** Ends what would go on in the background; staleness markers that wait get a few seconds. */
  readonly stop: () => Promise<void>;
}

/** What tests may replace. */
export interface ExporterOptions {
  readonly makeHub?: HubFactory;
  readonly now?: () => number;
  /** Who writes, in the series of batch numbers; default: the host's name, which is the pod's. */
  readonly name?: string;
  readonly makeMarkerClient?: (prometheusUrl: string) => MarkerClient;
  /** What is known of keys that others moved, beside what this exporter has seen itself. */
  readonly moves?: readonly Moves[];
}

/** Puts the parts together. */
export function createExporter(config: ExporterConfig, options: ExporterOptions = {}): Exporter {
  const metrics = new ExporterMetrics(config);
  const timeout = config.pushTimeoutMilliseconds;
  const { now = Date.now, name = hostname(), makeHub } = options;
  const shards = config.shards.map(
    (shard) => new ShardWriter(shard, { metrics, timeout, makeHub, numbers: new BatchNumbers(name, now) }),
  );
  const router = new Router(config);
  const maxAge = config.limits.maxAgeSeconds * 1000;
  const markers = new StaleMarkers(config.shards, {
    metrics,
    makeClient: options.makeMarkerClient ?? ((url) => new GateMarkerClient(url)),
    keep: maxAge,
    now,
  });
  const marking = new Marking({
    router,
    seen: new SeenMoves(config.lookbackSeconds * 1000, maxAge),
    others: options.moves ?? [],
    ender: markers,
    now,
  });
  const failover = new Failover({ shards, router, marking, metrics, budget: timeout * timeoutsPerPush });
  const handler = new PushHandler({ config, failover, metrics, now });
  let draining = false;
  const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    if (draining) response.setHeader("connection", "close");
    handler.handle(request, response, expectsContinue).catch((error: unknown) => {
      log("error", "push failed unexpectedly", { error: messageOf(error) });
      if (response.headersSent) response.destroy();
      else answerJson(response, 500, { reason: "internal error; send it again" }, { "retry-after": "1" });
    });
  };
  const server = createServer({ headersTimeout, requestTimeout, keepAliveTimeout }, (request, response) =>
    handle(request, response, false),
  );
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => handle(request, response, true));
  return {
    server,
    metrics,
    longestPush: timeout * (timeoutsPerPush + 1),
    drain: () => {
      draining = true;
    },
    stop: async () => {
      shards.forEach((shard) => shard.stop());
      await markers.stop(lastMarkers);
    },
  };
}
