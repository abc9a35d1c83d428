import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { judge } from "../gate/allow-list";
import { answer, answerUnread } from "../plumbing/answers";
import { forward, observe, type Upstream } from "../plumbing/forward";
import { readParameters, type Read, type Refusal } from "./parameters";
import { queryKind, queryRequest } from "./query-request";
import type { SeenEndpoints } from "./seen-endpoints";
import type { SeriesFanOut } from "./series-fan-out";
import { seriesQuery } from "./series-request";

/** Request line and headers together, in bytes; node answers 431 beyond it. */
const maxHeaderSize = 48 * 1024;
/** Milliseconds for a client to send its head. */
const headersTimeout = 10_000;
const keepAliveTimeout = 75_000;

/** What tells of the root itself, also while it may not answer. */
const always: ReadonlySet<string> = new Set(["/metrics", "/-/healthy", "/api/v1/stores"]);

/** What the gate stands before. */
export interface RootGateDeps extends Upstream {
  readonly seen: SeenEndpoints;
  readonly series: SeriesFanOut;
  /** While true, each answer ends its connection. */
  readonly draining: () => boolean;
}

/**
 * Reverse proxy before a root Querier: it refuses everything with 503 until the root has seen every endpoint of its file,
 * because until then its answers would leave shards out. It asks the root again before each request, so that a root which
 * restarts on its own is noticed. Instant queries of range vectors go to the engine that can answer them; what no engine of
 * the root answers right is refused. Lists of series come from the shards themselves where those can tell.
 */
export function rootGateServer(deps: RootGateDeps): Server {
  return createServer({ maxHeaderSize, headersTimeout, requestTimeout: 0, keepAliveTimeout }, (request, response) => {
    if (deps.draining()) response.setHeader("connection", "close");
    void handle(deps, request, response);
  });
}

async function handle(deps: RootGateDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (path.startsWith("/debug/")) {
    deps.metrics.refused.add(1);
    request.resume();
    answer(response, 403, "forbidden: this path is not for others\n");
    return;
  }
  const reason = always.has(path) ? undefined : await deps.seen.reason();
  if (reason !== undefined) {
    deps.metrics.refused.add(1);
    if (path.startsWith("/api/")) {
      answerUnread(request, response, 503, { status: "error", errorType: "unavailable", error: reason });
    } else {
      request.resume();
      answer(response, 503, `${reason}\n`);
    }
    return;
  }
  const verdict = judge(request.method ?? "", request.url ?? "");
  const route = verdict.allowed ? verdict.route : "other";
  const kind = queryKind(path);
  const isSeries = route === "/api/v1/series";
  if (kind === undefined && !isSeries) {
    forward(deps, request, response, route);
    return;
  }
  const startedAt = performance.now();
  // A client that goes away in the middle of its form gets no answer.
  const read = await readParameters(request).catch(() => undefined);
  if (read === undefined) {
    response.destroy();
    return;
  }
  if ("refusal" in read) {
    refuse(deps, request, response, read.refusal);
    return;
  }
  if (isSeries && (await answerSeries(deps, read, response, route, startedAt))) return;
  const query = kind === undefined ? read : queryRequest(read, kind);
  if ("refusal" in query) refuse(deps, request, response, query.refusal);
  else forward(deps, request, response, route, query);
}

function refuse(deps: RootGateDeps, request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  deps.metrics.refused.add(1);
  const { status, errorType, error } = refusal;
  answerUnread(request, response, status, { status: "error", errorType, error });
}

/** Answers with the shards' own lists of series; returns false when the root is to be asked. */
async function answerSeries(
  { series, metrics }: RootGateDeps,
  read: Read,
  response: ServerResponse,
  route: string,
  startedAt: number,
): Promise<boolean> {
  const query = seriesQuery(read);
  if (query === undefined) return false;
  const over = new AbortController();
  const leave = () => over.abort();
  response.on("close", leave);
  const found = await series.ask(query, over);
  response.off("close", leave);
  if (response.destroyed) {
    found?.release();
    return true;
  }
  if (found === undefined) return false;
  observe(metrics, response, route, startedAt);
  response.on("close", found.release);
  response.writeHead(200, { "content-type": "application/json", "content-length": found.length });
  for (const piece of found.pieces) response.write(piece);
  response.end();
  return true;
}
