/** What gRPC adds to HTTP/2: frames, status, timeouts (github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). */

/** Status codes that our services give or look at. */
export const grpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** A call that ended with a status other than OK. */
export class GrpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = "GrpcError";
  }
}

/** A message as it goes over the wire: not compressed. */
export function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/**
 * Messages of a stream of bytes.
 * @throws GrpcError RESOURCE_EXHAUSTED over `limit` bytes, UNIMPLEMENTED when compressed, INTERNAL when cut off.
 */
export async function* messagesOf(stream: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  let needed = 5;
  for await (const chunk of stream) {
    pending.push(chunk);
    size += chunk.length;
    if (size < needed) continue;
    let bytes = pending.length === 1 ? chunk : Buffer.concat(pending);
    for (;;) {
      needed = bytes.length < 5 ? 5 : 5 + bytes.readUInt32BE(1);
      if (needed - 5 > limit) throw new GrpcError(grpcStatus.resourceExhausted, `message over ${String(limit)} bytes`);
      if (bytes.length < needed) break;
      if (bytes[0] !== 0) {
        throw new GrpcError(grpcStatus.unimplemented, "compressed messages are not supported: switch compression off");
      }
      yield bytes.subarray(5, needed);
      bytes = bytes.subarray(needed);
    }
    pending = bytes.length === 0 ? [] : [bytes];
    size = bytes.length;
  }
  if (size > 0) throw new GrpcError(grpcStatus.internal, "the stream ended in the middle of a message");
}

const units: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds of a `grpc-timeout` header; undefined: none. */
export function timeoutOf(header: unknown): number | undefined {
  const match = typeof header === "string" ? /^([0-9]{1,8})([HMSmun])$/.exec(header) : null;
  return match === null ? undefined : Number(match[1]) * (units[match[2] ?? ""] ?? 0);
}

/** A `grpc-timeout` header: whole milliseconds, or seconds where those would be too many digits. */
export function timeoutHeader(milliseconds: number): string {
  const whole = Math.max(1, Math.ceil(milliseconds));
  return whole < 1e8 ? `${String(whole)}m` : `${String(Math.ceil(whole / 1000))}S`;
}

/** A `grpc-message` header: UTF-8, percent-encoded, and not longer than what clients take as a header. */
export function encodeMessage(text: string): string {
  return text
    .slice(0, 2_000)
    .replace(/[^\x20-\x24\x26-\x7e]/gu, (one) =>
      [...Buffer.from(one)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );
}

/** The text of a `grpc-message` header. */
export function decodeMessage(header: unknown): string {
  if (typeof header !== "string") return "";
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
