import {
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { SecureContextOptions } from "node:tls";
import { log, messageOf } from "./log";
import { destroySockets } from "./open-sockets";
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

/** Counts the bytes of one request while it comes. */
export interface Intake {
  /** Throws a GrpcError to refuse the request. */
  readonly take: (bytes: number) => void;
  /** Called once, when the call has ended. */
  readonly release: () => void;
}

/** How a call ended. */
export interface CallEnd {
  readonly path: string;
  /** Status of gRPC. */
  readonly code: number;
  /** Seconds from its first byte. */
  readonly seconds: number;
}

/** What a server may be told beyond its methods. */
export interface GrpcServerOptions {
  /** Largest request in bytes; default: 4 MiB, as Go's servers. */
  readonly requestLimit?: number;
  /** Milliseconds for a request to be here; default: as long as it takes. */
  readonly requestTimeout?: number;
  /** Certificate and key; default: no TLS. */
  readonly tls?: SecureContextOptions;
  /** Looks at a request's headers before its body is read; throws a GrpcError to refuse it. */
  readonly authorize?: (headers: IncomingHttpHeaders) => void;
  readonly intake?: () => Intake;
  readonly onEnd?: (end: CallEnd) => void;
}

const defaultRequestLimit = 4 * 1024 * 1024;
/** Milliseconds that a client gets to notice that it was answered before it had sent all. */
const discardTime = 5_000;
/** Node's own limit of 10 MB for all streams of a connection would refuse new ones while large answers go out. */
const maxSessionMemory = 512;

/**
 * gRPC over node's own HTTP/2: unary and server-streaming methods, TLS, no compression. @grpc/grpc-js would be ten
 * times the rest of the bundle (850 kB of JavaScript; a ConfigMap holds 1 MiB).
 */
export class GrpcServer {
  readonly server: Http2Server | Http2SecureServer;
  readonly #options: GrpcServerOptions;
  readonly #sessions = new Set<ServerHttp2Session>();
  #isDraining = false;

  /** @param handlers By path; other paths are answered with UNIMPLEMENTED. */
  constructor(
    readonly handlers: ReadonlyMap<string, Handler>,
    options: GrpcServerOptions = {},
  ) {
    this.#options = options;
    const settings = { maxSessionMemory, settings: { maxConcurrentStreams: 1_000 } };
    this.server =
      options.tls === undefined ? createServer(settings) : createSecureServer({ ...settings, ...options.tls });
    this.server.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => session.destroy());
      if (this.#isDraining) session.close();
    });
    this.server.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void this.#serve(stream, headers),
    );
  }

  /** Tells clients to go elsewhere, lets calls under way end for `limit` milliseconds, and closes the port. */
  async close(limit: number): Promise<void> {
    this.#isDraining = true;
    const closed = new Promise((resolve) => this.server.close(resolve));
    const timer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
      destroySockets(this.server);
    }, limit);
    for (const session of this.#sessions) session.close();
    await closed;
    clearTimeout(timer);
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const startedAt = performance.now();
    const gone = new AbortController();
    const leave = () => gone.abort(clientGone);
    stream.on("error", leave).on("close", leave);
    const path = headers[":path"] ?? "";
    const answer = new Answer(stream);
    const intake = this.#options.intake?.();
    let code: number = grpcStatus.ok;
    try {
      if (!(headers["content-type"] ?? "").startsWith("application/grpc")) {
        stream.respond({ ":status": 415 }, { endStream: true });
        return;
      }
      const handler = this.handlers.get(path);
      this.#options.authorize?.(headers);
      if (handler === undefined) throw new GrpcError(grpcStatus.unimplemented, `unknown method ${path}`);
      const timeout = timeoutOf(headers["grpc-timeout"]);
      const deadline = timeout === undefined ? undefined : Date.now() + timeout;
      const request = await this.#request(stream, intake);
      await handler({ path, request, deadline, signal: gone.signal, send: (message) => answer.send(message) });
      answer.end(grpcStatus.ok, "");
    } catch (error) {
      code = error instanceof GrpcError ? error.code : grpcStatus.internal;
      if (error instanceof GrpcError) answer.end(error.code, error.message);
      else if (gone.signal.aborted) code = grpcStatus.cancelled;
      else {
        log("error", "call failed", { path, error: messageOf(error) });
        answer.end(grpcStatus.internal, messageOf(error));
      }
    } finally {
      intake?.release();
      discardRest(stream);
      this.#options.onEnd?.({ path, code, seconds: (performance.now() - startedAt) / 1000 });
    }
  }

  /** The first message of a stream, which is the only one. */
  async #request(stream: ServerHttp2Stream, intake: Intake | undefined): Promise<Buffer> {
    const { requestLimit = defaultRequestLimit, requestTimeout } = this.#options;
    const timer =
      requestTimeout === undefined
        ? undefined
        : setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), requestTimeout);
    try {
      let request: Buffer | undefined;
      // A stream that is refused must stay, else its status would be lost with it.
      const chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const message of messagesOf(counted(chunks, intake), requestLimit)) request ??= message;
      if (request === undefined) throw new GrpcError(grpcStatus.internal, "no request message");
      return request;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* counted(chunks: AsyncIterable<Buffer>, intake: Intake | undefined): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    intake?.take(chunk.length);
    yield chunk;
  }
}

/** A client that was answered early may still be sending: what comes is dropped, and after a while the stream is closed. */
function discardRest(stream: ServerHttp2Stream): void {
  if (stream.destroyed || stream.closed || stream.readableEnded) return;
  stream.resume();
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), discardTime);
  timer.unref();
  stream.once("close", () => clearTimeout(timer));
}

/** One for all: made for each call it would cost a stack trace. */
const clientGone = new Error("the client has gone");

/** Bytes of an answer that may wait to be sent: waiting for each message would cost a round trip through the loop. */
const sendAhead = 256 * 1024;

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
    if (stream.write(frame(message)) || stream.writableLength < sendAhead) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        stream.off("drain", done).off("close", done);
        resolve();
      };
      stream.on("drain", done).on("close", done);
    });
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
