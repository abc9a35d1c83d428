/**
 * gRPC as bytes: a client that sends a stored request, and an endpoint that stands before another one, keeps what goes
 * through it, and later answers the same requests by itself. Messages are never decoded, so that every service works.
 */

import {
  connect,
  constants,
  createServer,
  type ClientHttp2Session,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { once } from "node:events";
import { requestKey } from "./protobuf";

/** Bytes that may be under way: the default of 64 KiB makes a large answer wait for every round trip. */
const WINDOW = 16 * 1024 * 1024;
const settings = { initialWindowSize: WINDOW } as const;
const UNAVAILABLE = "14";

/** A request as the root sent it: method and body, frame included. */
export interface Captured {
  readonly path: string;
  readonly body: Buffer;
}

/** An answer as it came: body, and how it ended. */
export interface Reply {
  readonly body: Buffer;
  readonly status: string;
  readonly message: string;
}

function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

/** A client of one gRPC endpoint on loopback; one connection. */
export class WireClient {
  #session: ClientHttp2Session | undefined;

  /** @param port Port on loopback. */
  constructor(private readonly port: number) {}

  /** Sends a request and waits for the end of the answer. A failed connection counts as UNAVAILABLE. */
  call({ path, body }: Captured, timeoutSeconds = 130): Promise<Reply> {
    return new Promise((resolve) => {
      const stream = this.#connected().request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": `${String(timeoutSeconds)}S`,
      });
      const chunks: Buffer[] = [];
      let [status, message] = [UNAVAILABLE, "no answer"];
      const take = (headers: IncomingHttpHeaders): void => {
        status = headerText(headers, "grpc-status") ?? status;
        message = headerText(headers, "grpc-message") ?? (status === "0" ? "" : message);
      };
      stream.on("response", take);
      stream.on("trailers", take);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", (error: Error) => {
        message = error.message;
      });
      stream.on("close", () => {
        resolve({ body: Buffer.concat(chunks), status, message });
      });
      stream.end(body);
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(`http://127.0.0.1:${String(this.port)}`, { settings });
    session.on("connect", () => {
      session.setLocalWindowSize(WINDOW);
    });
    session.on("error", () => undefined);
    this.#session = session;
    return session;
  }
}

/** What a recorder does with a request: pass it on and keep the answer, or give the answer that it kept. */
type Mode = "record" | "replay";

/** Stands before one shard's endpoint. */
export class Recorder {
  readonly #client: WireClient;
  readonly #server: Http2Server;
  readonly #sessions = new Set<Http2Session>();
  readonly #kept = new Map<string, Captured & { readonly reply: Reply }>();
  #mode: Mode = "record";
  #misses = 0;

  /** @param upstream Port of the endpoint. */
  constructor(upstream: number) {
    this.#client = new WireClient(upstream);
    this.#server = createServer({ settings });
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(WINDOW);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => undefined);
    });
    this.#server.on("stream", (stream, headers) => {
      void this.#answer(stream, headers);
    });
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.#server.close();
    this.#client.close();
  }

  /** Forgets everything and records from now on. */
  record(): void {
    this.#kept.clear();
    this.#mode = "record";
  }

  /** From now on answers come from what was recorded. */
  replay(): void {
    this.#mode = "replay";
    this.#misses = 0;
  }

  /** Requests since `replay` that nothing was recorded for: the figures of that time are worthless. */
  get misses(): number {
    return this.#misses;
  }

  /** What the root sent, in the order of the answers. */
  get captured(): readonly (Captured & { readonly reply: Reply })[] {
    return [...this.#kept.values()];
  }

  async #answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on("error", () => undefined);
    const path = headerText(headers, ":path") ?? "";
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const reply = await this.#replyTo({ path, body });
    if (stream.destroyed || stream.closed) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => {
      stream.sendTrailers({ "grpc-status": reply.status, "grpc-message": reply.message });
    });
    stream.on("aborted", () => {
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.end(reply.body);
  }

  async #replyTo(request: Captured): Promise<Reply> {
    // Health checks go through at any time: they are not part of a query.
    if (request.path.startsWith("/thanos.info.Info/")) return this.#client.call(request, 5);
    const key = requestKey(request.path, request.body);
    const kept = this.#kept.get(key);
    if (this.#mode === "replay") {
      if (kept !== undefined) return kept.reply;
      this.#misses += 1;
      return { body: Buffer.alloc(0), status: UNAVAILABLE, message: "not recorded" };
    }
    const reply = await this.#client.call(request);
    this.#kept.set(key, { ...request, reply });
    return reply;
  }
}
