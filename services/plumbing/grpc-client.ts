import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import { decodeMessage, frame, GrpcError, grpcStatus, messagesOf, timeoutHeader } from "./grpc";
import { messageOf } from "./log";

/** How long a call may take and who may end it. */
export interface CallOptions {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

/** Largest message: a leaf puts 64 series into one. */
const messageLimit = 256 * 1024 * 1024;
/** Bytes that a server may send ahead; the default of 64 KiB makes a large answer wait for every round trip. */
const windowSize = 8 * 1024 * 1024;
/** Milliseconds for a connection to be made, and for a ping to be answered while calls are under way. */
const connectTimeout = 2_000;
const pingTimeout = 10_000;
/** Milliseconds between pings. Thanos refuses clients that ping more often than every 10 s. */
const pingInterval = 15_000;

/** Client of one gRPC server: one connection, made when it is needed and made anew when it breaks. */
export class GrpcClient {
  #session: ClientHttp2Session | undefined;
  #callsUnderWay = 0;

  /**
   * @param url Base URL, `http://leaf-shard-0:10901`.
   * @param who How errors call the server: `the leaf`.
   */
  constructor(
    readonly url: string,
    readonly who: string,
  ) {}

  /**
   * Messages of the answer to a request.
   * @throws GrpcError with the server's status; UNAVAILABLE when it can't be reached.
   */
  async *call(path: string, request: Buffer, { deadline, signal }: CallOptions): AsyncGenerator<Buffer> {
    const timeout = deadline - Date.now();
    if (timeout <= 0) throw new GrpcError(grpcStatus.deadlineExceeded, `no time left to ask ${this.who}`);
    if (signal?.aborted === true) throw new GrpcError(grpcStatus.cancelled, "the client has gone");
    const stream = this.#connected().request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": timeoutHeader(timeout),
    });
    // HTTP/2 knows no end of patience: the server's own is trusted for its answer, this one for a server that hangs.
    const late = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), timeout + 1_000);
    const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
    signal?.addEventListener("abort", cancel, { once: true });
    const status = new Status(stream, this.who);
    this.#callsUnderWay += 1;
    let isComplete = false;
    try {
      stream.end(frame(request));
      yield* messagesOf(stream as AsyncIterable<Buffer>, messageLimit);
      isComplete = true;
      await status.check(deadline);
    } catch (error) {
      // The stream's own error says less than the status that came before it.
      if (error instanceof GrpcError) throw error;
      await status.check(deadline);
      throw new GrpcError(grpcStatus.unavailable, messageOf(error));
    } finally {
      this.#callsUnderWay -= 1;
      clearTimeout(late);
      signal?.removeEventListener("abort", cancel);
      // Not when all has come: servers hang up on clients that reset many streams.
      if (!isComplete && !stream.destroyed) cancel();
    }
  }

  close(): void {
    this.#session?.destroy();
  }

  #connected(): ClientHttp2Session {
    const current = this.#session;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    const session = connect(this.url, { maxSessionMemory: 512, settings: { initialWindowSize: windowSize } });
    this.#session = session;
    const impatient = setTimeout(() => session.destroy(new Error("connecting took too long")), connectTimeout);
    // Without calls there is nothing to find out, and Go's servers send a client away that pings all the same.
    const pings = setInterval(() => {
      if (this.#callsUnderWay > 0) ping(session);
    }, pingInterval);
    session.on("connect", () => {
      clearTimeout(impatient);
      session.setLocalWindowSize(2 * windowSize);
    });
    // Each stream gets the error too.
    session.on("error", () => undefined);
    session.on("close", () => {
      clearTimeout(impatient);
      clearInterval(pings);
    });
    return session;
  }
}

function ping(session: ClientHttp2Session): void {
  const timer = setTimeout(() => session.destroy(new Error("a ping was not answered")), pingTimeout);
  const isSent = session.ping(() => clearTimeout(timer));
  if (!isSent) clearTimeout(timer);
}

/** The status of one call, from its trailers, or from its headers when there is nothing else. */
class Status {
  #headers: IncomingHttpHeaders | undefined;
  /** Node tells of the end of the data before it tells of the trailers behind it. */
  readonly #known: Promise<void>;

  constructor(
    stream: ClientHttp2Stream,
    readonly who: string,
  ) {
    this.#known = new Promise((resolve) => {
      stream.on("response", (headers) => {
        if (headers["grpc-status"] === undefined && headers[":status"] === 200) return;
        this.#headers = headers;
        resolve();
      });
      stream.on("trailers", (trailers: IncomingHttpHeaders) => {
        this.#headers = trailers;
        resolve();
      });
      stream.on("close", resolve);
    });
  }

  /** @throws GrpcError unless the call ended well. */
  async check(deadline: number): Promise<void> {
    await this.#known;
    const headers = this.#headers;
    if (headers === undefined && Date.now() >= deadline) {
      throw new GrpcError(grpcStatus.deadlineExceeded, `${this.who} took too long`);
    }
    if (headers === undefined) {
      throw new GrpcError(grpcStatus.unavailable, `${this.who} broke off without a status`);
    }
    const code = headers["grpc-status"];
    if (code === "0") return;
    if (code === undefined) throw new GrpcError(grpcStatus.unavailable, `HTTP status ${String(headers[":status"])}`);
    throw new GrpcError(Number(code), decodeMessage(headers["grpc-message"]));
  }
}
