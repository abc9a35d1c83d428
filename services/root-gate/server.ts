import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { judge } from "../gate/allow-list";
import { answer, answerUnread } from "../plumbing/answers";
import { forward, type Upstream } from "../plumbing/forward";
import { queryKind, readQuery, type QueryKind } from "./query-request";
import type { SeenEndpoints } from "./seen-endpoints";

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
  /** While true, each answer ends its connection. */
  readonly draining: () => boolean;
}

/**
 * Reverse proxy before a root Querier: it refuses everything with 503 until the root has seen every endpoint of its file,
 * because until then its answers would leave shards out. It asks the root again before each request, so that a root which
 * restarts on its own is noticed. Instant queries of range vectors go to the engine that can answer them; what no engine of
 * the root answers right is refused.
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
  if (kind !== undefined) await forwardQuery(deps, request, response, route, kind);
  else forward(deps, request, response, route);
}

async function forwardQuery(
  deps: RootGateDeps,
  request: IncomingMessage,
  response: ServerResponse,
  route: string,
  kind: QueryKind,
): Promise<void> {
  // A client that goes away in the middle of its form gets no answer.
  const query = await readQuery(request, kind).catch(() => undefined);
  if (query === undefined) {
    response.destroy();
  } else if ("refusal" in query) {
    deps.metrics.refused.add(1);
    const { status, errorType, error } = query.refusal;
    answerUnread(request, response, status, { status: "error", errorType, error });
  } else {
    forward(deps, request, response, route, query);
  }
}
