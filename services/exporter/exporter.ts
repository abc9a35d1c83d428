import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { hostname } from "node:os";
import type { ExporterConfig } from "../../model/exporter-config";
import { answerJson, answerUnread } from "../plumbing/answers";
import { log, messageOf } from "../plumbing/log";
import { BatchNumbers } from "./batch-numbers";
import { ExporterMetrics } from "./exporter-metrics";
import { Failover } from "./failover";
import { Placed } from "./placed";
import { PushHandler } from "./push-handler";
import { Router } from "./route";
import { ShardWriter, type HubFactory } from "./shard-writer";

/** Shards that a push may wait for one after another until their timeout before the client is told to come again. */
const timeoutsPerPush = 3;
/** Milliseconds for a client to send its head, and its whole push. */
const headersTimeout = 10_000;
const requestTimeout = 60_000;
/** Longer than the idle time of usual clients and load balancers (60 s), so that it is they who close a connection. */
const keepAliveTimeout = 75_000;

/** An exporter without its ports. */
export interface Exporter {
  readonly server: Server;
  readonly metrics: ExporterMetrics;
  /** Milliseconds that a push may take at most once its body is here. */
  readonly longestPush: number;
  /** From now on every answer ends its connection. */
  readonly drain: () => void;
  /** Undefined when it may take pushes, else why not. */
  readonly notReady: () => string | undefined;
  /** What the placement reads here, by path of the second port; nothing where there is none. */
  readonly pages: Readonly<Record<string, () => string | undefined>>;
  /** Ends what would go on in the background. */
  readonly stop: () => void;
}

/** What tests may replace. */
export interface ExporterOptions {
  readonly makeHub?: HubFactory;
  readonly now?: () => number;
  /** Who writes, in the series of batch numbers; default: the host's name, which is the pod's. */
  readonly name?: string;
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
  const placed = config.placementUrl === undefined ? undefined : new Placed(config, { metrics, router, now, shards });
  const isFailed = (position: number): boolean => placed?.isFailed(position) ?? false;
  const failover = new Failover(shards, router, metrics, timeout * timeoutsPerPush, isFailed);
  const handler = new PushHandler({ config, failover, metrics, now, series: placed?.series });
  const notReady = (): string | undefined => placed?.notReady;
  let draining = false;
  const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    if (draining) response.setHeader("connection", "close");
    const reason = notReady();
    if (reason !== undefined) {
      metrics.pushes.add(1, { code: "503" });
      answerUnread(request, response, 503, { reason: `${reason}; send it again` }, { "retry-after": "1" });
      return;
    }
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
    notReady,
    pages: placed?.pages ?? {},
    stop: () => {
      placed?.stop();
      shards.forEach((shard) => shard.stop());
    },
  };
}
