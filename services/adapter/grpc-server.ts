import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { once } from "node:events";
import { log, messageOf } from "../plumbing/log";
import { encodeMessage, frame, GrpcError, grpcStatus, messagesOf, timeoutOf } from "./grpc";

/** One call: a request of one message, answered with any number of messages. */
export interface Call {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: Buffer;
  /** When the client stops waiting, in milliseconds since the epoch; undefined: it did not say. */
  readonly deadline: number | undefined;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Sends one message; resolves when more may be sent. Throws when the client has gone. */
  readonly send: (message: Buffer) => Promise<void>;
}

/** Answers a call with `send` and ends, or throws: a GrpcError with its status, anything else with INTERNAL. */
export type Handler = (call: Call) => Promise<void>;

/** Largest request in bytes: the default of Go's servers is the same. */
const requestLimit = 4 * 1024 * 1024;
/** Node's own limit of 10 MB for all streams of a connection would refuse new ones while large answers go out. */
const maxSessionMemory = 512;

/**
 * gRPC over node's own HTTP/2: unary and server-streaming methods, no TLS, no compression. @grpc/grpc-js would be ten
 * times the rest of the bundle (850 kB of JavaScript; a ConfigMap holds 1 MiB).
 */
export class GrpcServer {
  readonly server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  #isDraining = false;

  /** @param handlers By path; other paths are answered with UNIMPLEMENTED. */
  constructor(readonly handlers: ReadonlyMap<string, Handler>) {
    this.server = createServer({ maxSessionMemory, settings: { maxConcurrentStreams: 1_000 } });
    this.server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => session.destroy());
      if (this.#isDraining) session.close();
    });
    this.server.on("stream", (stream, headers) => void this.#serve(stream, headers));
  }

  /** Tells clients to go elsewhere, lets calls under way end for `limit` milliseconds, and closes the port. */
  async close(limit: number): Promise<void> {
    this.#isDraining = true;
    const closed = new Promise((resolve) => this.server.close(resolve));
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, limit);
    for (const session of this.#sessions) session.close();
    await closed;
    clearTimeout(timer);
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const gone = new AbortController();
    stream.on("error", () => gone.abort());
    stream.on("close", () => gone.abort());
    const path = headers[":path"] ?? "";
    const answer = new Answer(stream);
    try {
      const handler = this.handlers.get(path);
      if (!(headers["content-type"] ?? "").startsWith("application/grpc")) {
        stream.respond({ ":status": 415 }, { endStream: true });
        return;
      }
      if (handler === undefined) throw new GrpcError(grpcStatus.unimplemented, `unknown method ${path}`);
      const timeout = timeoutOf(headers["grpc-timeout"]);
      const deadline = timeout === undefined ? undefined : Date.now() + timeout;
      let request: Buffer | undefined;
      for await (const message of messagesOf(stream, requestLimit)) request ??= message;
      if (request === undefined) throw new GrpcError(grpcStatus.internal, "no request message");
      await handler({ path, request, deadline, signal: gone.signal, send: (message) => answer.send(message) });
      answer.end(grpcStatus.ok, "");
    } catch (error) {
      if (error instanceof GrpcError) answer.end(error.code, error.message);
      else if (!gone.signal.aborted) {
        log("error", "call failed", { path, error: messageOf(error) });
        answer.end(grpcStatus.internal, messageOf(error));
      }
    }
  }
}

const head = { ":status": 200, "content-type": "application/grpc", "grpc-accept-encoding": "identity" };

/** One stream's answer. */
class Answer {
  #status: { readonly code: number; readonly message: string } | undefined;

  constructor(readonly stream: ServerHttp2Stream) {}

  async send(message: Buffer): Promise<void> {
    const { stream } = this;
    // A closed stream throws when it is written to.
    if (stream.destroyed || stream.closed) throw new GrpcError(grpcStatus.cancelled, "the client has gone");
    if (!stream.headersSent) {
      stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers()));
      stream.respond(head, { waitForTrailers: true });
    }
    if (stream.write(frame(message))) return;
    const closed = new AbortController();
    await Promise.race([
      once(stream, "drain", { signal: closed.signal }),
      once(stream, "close", { signal: closed.signal }),
    ]).finally(() => closed.abort());
  }

  end(code: number, message: string): void {
    if (this.stream.destroyed || this.stream.closed) return;
    this.#status = { code, message };
    if (this.stream.headersSent) this.stream.end();
    else this.stream.respond({ ...head, ...this.#trailers() }, { endStream: true });
  }

  #trailers(): Record<string, string> {
    // An answer that was never ended is no answer.
    const { code, message } = this.#status ?? { code: grpcStatus.internal, message: "the answer was not ended" };
    return { "grpc-status": String(code), ...(message === "" ? {} : { "grpc-message": encodeMessage(message) }) };
  }
}
