import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { hostname } from "node:os";
import type { ExporterConfig } from "../../model/exporter-config";
import { answerJson, answerUnread } from "../plumbing/answers";
import type { GrpcServer } from "../plumbing/grpc-server";
import { log, messageOf } from "../plumbing/log";
import type { MountedFiles } from "../plumbing/mounted-files";
import { BatchNumbers } from "./batch-numbers";
import type { Tokens } from "./bearer";
import { CommitMetrics } from "./commit-metrics";
import { Commitment } from "./commitment";
import { ExporterMetrics } from "./exporter-metrics";
import { Failover } from "./failover";
import { grpcPushServer } from "./grpc-push";
import { markedShards } from "./marked-shards";
import { GateMarkerClient, type MarkerClient } from "./marker-client";
import { Marking } from "./marking";
import { SeenMoves } from "./moves";
import { Placed } from "./placed";
import { PushHandler } from "./push-handler";
import type { TlsPair } from "./push-secrets";
import { PushStore } from "./push-store";
import { Router } from "./route";
import { ShardWriter, type HubFactory } from "./shard-writer";
import { StaleMarkers } from "./stale-markers";
import { numbersReader, type ReadNumbers } from "./stored-numbers";

/** Shards that a push may wait for one after another until their timeout before the client is told to come again. */
const timeoutsPerPush = 3;
/** Milliseconds for a Prometheus to tell which writes it has stored. */
const readNumbersTimeout = 5_000;
/** Milliseconds for a client to send its head, and its whole push. */
const headersTimeout = 10_000;
const requestTimeout = 60_000;
/** Longer than the idle time of usual clients and load balancers (60 s), so that it is they who close a connection. */
const keepAliveTimeout = 75_000;

/** Milliseconds that staleness markers get at a stop. */
const lastMarkers = 5_000;

/** An exporter without its ports. */
export interface Exporter {
  readonly server: Server | TlsServer;
  readonly grpc: GrpcServer;
  readonly metrics: ExporterMetrics;
  /** Sees to it that what is acknowledged is stored; works in the background once started. */
  readonly commitment: Commitment;
  /** Milliseconds that a push may take at most once its body is here. */
  readonly longestPush: number;
  /** From now on every answer ends its connection. */
  readonly drain: () => void;
  /** Undefined when it may take pushes, else why not. */
  readonly notReady: () => string | undefined;
  /** What the placement reads here, by path of the second port; nothing where there is none. */
  readonly pages: Readonly<Record<string, () => string | undefined>>;
  /** Ends what would go on in the background; staleness markers that wait get a few seconds. */
  readonly stop: () => Promise<void>;
}

/** What tests may replace. */
export interface ExporterOptions {
  readonly makeHub?: HubFactory;
  readonly readNumbers?: ReadNumbers;
  readonly now?: () => number;
  /** Certificate of both push ports; default: no TLS. */
  readonly tls?: MountedFiles<TlsPair> | undefined;
  /** Tokens of which each push must have one; default: anybody may push. */
  readonly tokens?: MountedFiles<Tokens> | undefined;
  /** Who writes, in the series of batch numbers; default: the host's name, which is the pod's. */
  readonly name?: string;
  readonly makeMarkerClient?: (prometheusUrl: string) => MarkerClient;
}

/** Puts the parts together. */
export function createExporter(config: ExporterConfig, options: ExporterOptions = {}): Exporter {
  const metrics = new ExporterMetrics(config);
  const timeout = config.pushTimeoutMilliseconds;
  const { now = Date.now, name = hostname(), makeHub, tls, tokens } = options;
  const readNumbers = options.readNumbers ?? numbersReader(name, readNumbersTimeout);
  const commitment = new Commitment(config, new CommitMetrics(metrics.all, config), { now, readNumbers });
  const shards = config.shards.map((shard, at) => {
    const isAsked = shard.hubs.every(({ prometheusUrl }) => prometheusUrl !== undefined);
    const kept = isAsked ? commitment.buffer.shards[at] : undefined;
    const { scrapeIntervalMilliseconds } = config.commit;
    const numbers = new BatchNumbers(name, now);
    return new ShardWriter(shard, { metrics, timeout, makeHub, now, kept, numbers, scrapeIntervalMilliseconds });
  });
  commitment.watch(shards);
  const router = new Router(config);
  const maxAge = config.limits.maxAgeSeconds * 1000;
  const markers = new StaleMarkers(markedShards(config), {
    metrics,
    makeClient: options.makeMarkerClient ?? ((url) => new GateMarkerClient(url)),
    keep: maxAge,
    now,
  });
  const placed = config.placementUrl === undefined ? undefined : new Placed(config, { metrics, router, now, shards });
  const lookback = config.lookbackSeconds * 1000;
  const marking = new Marking({
    router,
    seen: new SeenMoves(lookback, maxAge),
    others: placed === undefined ? [] : [placed.moves],
    ender: markers,
    now,
  });
  const isFailed = (position: number): boolean => placed?.isFailed(position) ?? false;
  const budget = timeout * timeoutsPerPush;
  const failover = new Failover({ shards, router, marking, metrics, budget, isFailed, lookback, now });
  const notReady = (): string | undefined => placed?.notReady;
  const store = new PushStore({ config, failover, metrics, now, notReady, series: placed?.series });
  const deps = { config, store, metrics, tokens: () => tokens?.value };
  const handler = new PushHandler(deps);
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
  const timeouts = { headersTimeout, requestTimeout, keepAliveTimeout };
  const listener = (request: IncomingMessage, response: ServerResponse): void => handle(request, response, false);
  const server =
    tls === undefined
      ? createServer(timeouts, listener)
      : createTlsServer({ ...timeouts, ...pairOf(tls.value) }, listener);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => handle(request, response, true));
  const grpc = grpcPushServer(deps, tls === undefined ? undefined : pairOf(tls.value), requestTimeout);
  tls?.onChange((pair) => {
    for (const each of [server, grpc.server]) if ("setSecureContext" in each) each.setSecureContext(pairOf(pair));
  });
  metrics.watchSecrets(tls, tokens);
  return {
    server,
    grpc,
    metrics,
    commitment,
    longestPush: timeout * (timeoutsPerPush + 1),
    drain: () => {
      draining = true;
    },
    notReady,
    pages: placed?.pages ?? {},
    stop: async () => {
      placed?.stop();
      commitment.stop();
      shards.forEach((shard) => shard.stop());
      tls?.stop();
      tokens?.stop();
      await markers.stop(lastMarkers);
    },
  };
}

function pairOf({ cert, key }: TlsPair): { readonly cert: string; readonly key: string } {
  return { cert, key };
}
