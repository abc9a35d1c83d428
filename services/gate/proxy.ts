import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answer } from "../plumbing/answers";
import { forward, type Upstream } from "../plumbing/forward";
import { judge, maxTargetBytes } from "./allow-list";
import type { CaughtUp } from "./caught-up";

/** Request line and headers together, in bytes; node answers 431 beyond it. */
const maxHeaderSize = 48 * 1024;
/** Milliseconds for a client to send its head. The body has no limit in time: answers may take as long as a query. */
const headersTimeout = 10_000;
const keepAliveTimeout = 75_000;

/** The route that probes ask. */
const READY = "/-/ready";

/** What the gate stands before. */
export interface GateDeps extends Upstream {
  /** While true, each answer ends its connection. */
  readonly draining: () => boolean;
  /** Holds readiness back until Prometheus has what was kept for it; default: Prometheus alone decides. */
  readonly caughtUp?: CaughtUp | undefined;
}

/**
 * Reverse proxy that passes what the allow-list names and answers 403 to everything else. Bodies stream both ways. Each
 * request has its own connection to the upstream: on loopback that is cheap, and none can be found closed.
 */
export function gateServer(deps: GateDeps): Server {
  return createServer({ maxHeaderSize, headersTimeout, requestTimeout: 0, keepAliveTimeout }, (request, response) => {
    if (deps.draining()) response.setHeader("connection", "close");
    const method = request.method ?? "";
    const target = request.url ?? "";
    if (target.length > maxTargetBytes) {
      refuse(
        deps,
        request,
        response,
        414,
        `the URL is longer than ${String(maxTargetBytes)} bytes; send the query with POST`,
      );
      return;
    }
    const verdict = judge(method, target);
    if (!verdict.allowed) refuse(deps, request, response, 403, verdict.reason);
    else if (verdict.route === READY && deps.caughtUp !== undefined) {
      void passWhenCaughtUp(deps, deps.caughtUp, request, response);
    } else forward(deps, request, response, verdict.route);
  });
}

async function passWhenCaughtUp(
  deps: GateDeps,
  caughtUp: CaughtUp,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reason = await caughtUp.reason();
  if (reason === undefined) {
    forward(deps, request, response, READY);
    return;
  }
  deps.metrics.requests.add(1, { route: READY, code: "503" });
  request.resume();
  answer(response, 503, `${reason}\n`);
}

function refuse(
  { metrics }: GateDeps,
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  reason: string,
): void {
  metrics.refused.add(1);
  // The body of a refused request is not read: the connection ends with the answer.
  if (request.method !== "GET" && request.method !== "HEAD") response.setHeader("connection", "close");
  request.resume();
  answer(response, status, `${status === 403 ? "forbidden: " : ""}${reason}\n`);
}
