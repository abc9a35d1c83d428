import { createServer, request as open, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** A TEST PART. What prometheus-configmanager's two servers have in common: routes, errors as JSON, the reload. */

/** An answer other than success. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What a handler gives back: a status, and a text or something to be written as JSON. */
export interface Reply {
  readonly status: number;
  readonly text?: string;
  readonly json?: unknown;
}

/** What a handler is given. */
export interface Call {
  /** Path segments that the pattern names. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** One route: `POST /v1/:tenant/alert`. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

function matched(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, found] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== found.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decodeURIComponent(found[index] ?? "");
    if (part.startsWith(":")) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function answered(routes: readonly Route[], request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? "/", "http://stand-in");
  const body = await bodyOf(request);
  let isKnownPath = false;
  // The first that fits: fixed paths stand before those with names in them.
  for (const { method, path, handle } of routes) {
    const params = matched(path, url.pathname);
    if (params === undefined) continue;
    isKnownPath = true;
    if (method === request.method) return handle({ params, query: url.searchParams, body });
  }
  throw isKnownPath ? new HttpError(405, "Method Not Allowed") : new HttpError(404, "Not Found");
}

function write(response: ServerResponse, { status, text, json }: Reply): void {
  if (json === undefined) response.writeHead(status).end(text ?? "");
  else response.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(JSON.stringify(json));
}

/** A server with these routes. Errors are `{"message": "..."}`, as echo writes them. */
export function serverOf(routes: readonly Route[]): Server {
  return createServer((request, response) => {
    answered(routes, request).then(
      (reply) => write(response, reply),
      (error: unknown) => {
        const status = error instanceof HttpError ? error.status : 500;
        write(response, { status, json: { message: error instanceof Error ? error.message : String(error) } });
      },
    );
  });
}

/** `POST http://<address>/-/reload`, which must answer exactly 200; as long as it takes: upstream has no timeout either. */
export function reload(address: string, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => reject(new HttpError(500, `error reloading ${what}${reason}`));
    const outgoing = open(`http://${address}/-/reload`, { method: "POST", agent: false }, (incoming) => {
      bodyOf(incoming).then(
        (text) => {
          if (incoming.statusCode === 200) resolve();
          else fail(` (status ${String(incoming.statusCode)}): ${text}`);
        },
        (error: unknown) => fail(`: ${String(error)}`),
      );
    });
    outgoing.on("error", (error) => fail(`: ${error.message}`));
    outgoing.end();
  });
}

/** The body as an object or a list. @throws HttpError with `status` when it is none. */
export function jsonOf(body: string, status = 400): unknown {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null) return parsed;
  } catch {
    // Told below.
  }
  throw new HttpError(status, "error unmarshalling payload: it is no JSON object or list");
}
