import {
  request as startRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { answer } from "./answers";
import { log, messageOf } from "./log";
import { Metrics, type Counter, type Histogram } from "./metrics";

/** Headers that belong to one connection (RFC 9110 section 7.6.1), and those that announce a body that is not passed on. */
const perConnection: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const ofBody: readonly string[] = ["content-length", "content-type", "content-encoding", "expect"];

/** Own metrics of a proxy in a pod; `route` is one of few. */
export class ProxyMetrics {
  readonly all = new Metrics();
  readonly requests: Counter;
  readonly refused: Counter;
  readonly upstreamFailures: Counter;
  readonly seconds: Histogram;
  readonly inFlight: Counter;

  constructor() {
    const { all } = this;
    this.requests = all.counter("gate_requests_total", "Requests passed on, by route and status code of the answer.");
    this.refused = all.counter("gate_refused_total", "Requests that are not passed on.");
    this.upstreamFailures = all.counter("gate_upstream_failures_total", "Requests that the upstream did not answer.");
    this.seconds = all.histogram(
      "gate_request_duration_seconds",
      "Time from a request's head to the end of its answer.",
    );
    this.inFlight = all.gauge("gate_in_flight_requests", "Requests in hand.");
    for (const plain of [this.refused, this.upstreamFailures, this.inFlight]) plain.add(0);
    all.addProcess();
  }
}

/** Whom a proxy stands before. */
export interface Upstream {
  /** Base URL, `http://127.0.0.1:9095`. */
  readonly upstream: string;
  readonly metrics: ProxyMetrics;
  /** Changes the text of short answers with an error; default: they pass as they are. */
  readonly explain?: (text: string) => Promise<string>;
}

/** Longest answer with an error that is explained, in bytes. */
const longestError = 64 * 1024;

/** What goes on in place of what came. */
export interface Replaced {
  /** Path and parameters. */
  readonly target: string;
  /** The request's own body has been read. */
  readonly body: Buffer;
}

/**
 * Counts a request until its answer has ended.
 * @param startedAt When it came, by `performance.now`.
 */
export function observe(
  metrics: ProxyMetrics,
  response: ServerResponse,
  route: string,
  startedAt = performance.now(),
): void {
  metrics.inFlight.add(1);
  response.on("close", () => {
    metrics.inFlight.add(-1);
    metrics.requests.add(1, { route, code: String(response.statusCode) });
    metrics.seconds.observe((performance.now() - startedAt) / 1000, { route });
  });
}

/** Passes a request on and its answer back. Bodies stream both ways, but for one that is replaced. */
export function forward(
  deps: Upstream,
  request: IncomingMessage,
  response: ServerResponse,
  route: string,
  replaced?: Replaced,
): void {
  const { upstream, metrics } = deps;
  observe(metrics, response, route);
  const hasBody = request.method === "POST";
  const headers = passedOn(request.headers, hasBody ? [] : ofBody);
  // The upstream takes its own name: a client's Host must not choose among its handlers.
  delete headers["host"];
  // Node counts the bytes of a body that it has as a whole.
  if (replaced !== undefined) delete headers["content-length"];
  const outgoing = startRequest(upstream + (replaced?.target ?? request.url ?? ""), {
    method: request.method ?? "GET",
    headers: { ...headers, connection: "close" },
    agent: false,
  });
  outgoing.on("response", (incoming) => {
    if (deps.explain !== undefined && isShortError(incoming)) {
      void explained(incoming, response, deps.explain);
      return;
    }
    response.writeHead(incoming.statusCode ?? 502, passedOn(incoming.headers, []));
    incoming.on("error", () => response.destroy());
    incoming.pipe(response);
  });
  outgoing.on("error", (error) => {
    if (response.destroyed || response.writableEnded) return;
    metrics.upstreamFailures.add(1);
    log("warn", "upstream did not answer", { upstream, error: messageOf(error) });
    if (response.headersSent) response.destroy();
    else answer(response, 502, `bad gateway: upstream ${upstream} did not answer: ${messageOf(error)}\n`);
  });
  response.on("close", () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  if (hasBody && replaced !== undefined) {
    outgoing.end(replaced.body);
  } else if (hasBody) {
    request.pipe(outgoing);
  } else {
    request.resume();
    outgoing.end();
  }
}

/** Headers without those of the connection, those that `Connection` names, and `without`. */
function passedOn(headers: IncomingHttpHeaders, without: readonly string[]): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const dropped = new Set([...perConnection, ...named, ...without]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

function isShortError({ statusCode = 0, headers }: IncomingMessage): boolean {
  const length = Number(headers["content-length"] ?? 0);
  return statusCode >= 400 && headers["content-encoding"] === undefined && length <= longestError;
}

async function explained(
  incoming: IncomingMessage,
  response: ServerResponse,
  explain: (text: string) => Promise<string>,
): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = await explain(Buffer.concat(chunks).toString());
    const headers = passedOn(incoming.headers, []);
    response.writeHead(incoming.statusCode ?? 502, { ...headers, "content-length": Buffer.byteLength(text) });
    response.end(text);
  } catch {
    response.destroy();
  }
}
