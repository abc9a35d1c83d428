import { connect, type ClientHttp2Session, type SecureClientSessionOptions } from "node:http2";
import { decodeMessage, frame } from "../../../services/plumbing/grpc";

/** What a call came to. */
export interface GrpcAnswer {
  readonly status: number;
  readonly message: string;
  readonly body: Buffer;
}

/** A gRPC client for tests: unary calls over one connection. */
export class GrpcClient {
  readonly session: ClientHttp2Session;

  constructor(url: string, options: SecureClientSessionOptions = {}) {
    this.session = connect(url, options);
    this.session.on("error", () => undefined);
  }

  /** Rejects when the stream ends without a status. */
  call(path: string, message: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<GrpcAnswer> {
    return new Promise((resolve, reject) => {
      const stream = this.session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      const chunks: Buffer[] = [];
      let status: GrpcAnswer | undefined;
      const take = (fields: Readonly<Record<string, unknown>>): void => {
        if (fields["grpc-status"] === undefined) return;
        const body = Buffer.concat(chunks);
        status = { status: Number(fields["grpc-status"]), message: decodeMessage(fields["grpc-message"]), body };
      };
      stream.on("response", take);
      stream.on("trailers", take);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", (error: Error) => {
        if (status === undefined) reject(error);
      });
      stream.on("close", () => {
        if (status === undefined) reject(new Error("the stream ended without a status"));
        else resolve(status);
      });
      stream.end(frame(message));
    });
  }

  close(): void {
    this.session.destroy();
  }
}
