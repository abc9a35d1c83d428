import type { IncomingMessage } from "node:http";
import { gunzip } from "node:zlib";

/** A body, or the answer to give instead. */
export type BodyResult =
  | { readonly kind: "body"; readonly body: Buffer }
  | { readonly kind: "refused"; readonly status: 400 | 413 | 415 | 503; readonly reason: string }
  /** The client went away. */
  | { readonly kind: "aborted" };

/** Bytes that all pushes in hand may hold together; a push that does not fit is asked to come again. */
export class ByteBudget {
  #used = 0;

  constructor(
    readonly limit: number,
    readonly onChange: (used: number) => void = () => undefined,
  ) {}

  /** Takes `bytes`; false when they do not fit. A push alone always fits. */
  take(bytes: number): boolean {
    if (this.#used > 0 && this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    this.onChange(this.#used);
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    this.onChange(this.#used);
  }
}

/** Formats that would be misread as text 0.0.4: OpenMetrics has seconds for timestamps. */
const foreignFormats = /^application\/(openmetrics-text|vnd\.google\.protobuf|x-protobuf)\b/i;

/** The length that the client announces, when it does. */
export function announcedLength(request: IncomingMessage): number {
  const length = Number(request.headers["content-length"] ?? 0);
  return Number.isFinite(length) ? length : 0;
}

/** Answer to give without reading the body, when its head alone says no. */
export function refusalFromHead(request: IncomingMessage, maxBytes: number): BodyResult | undefined {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip") {
    return refused(415, `content-encoding ${JSON.stringify(encoding)} is not supported; send gzip or none`);
  }
  const type = request.headers["content-type"] ?? "";
  if (foreignFormats.test(type)) {
    return refused(415, `content-type ${JSON.stringify(type)} is not supported; send the text format 0.0.4`);
  }
  return announcedLength(request) > maxBytes ? tooLarge(maxBytes) : undefined;
}

/**
 * Reads a push, unpacked when it says `Content-Encoding: gzip`. Neither the packed nor the unpacked body may be larger
 * than `maxBytes`; unpacking stops there, so a small body that unpacks to gigabytes costs no more than that.
 * `budget` holds the bytes while they are in hand; the caller gives back what `taken` has counted.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  budget: ByteBudget,
  taken: (bytes: number) => void,
): Promise<BodyResult> {
  const take = (bytes: number): boolean => {
    const fits = budget.take(bytes);
    if (fits) taken(bytes);
    return fits;
  };
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) return tooLarge(maxBytes);
      if (!take(chunk.length)) return busy();
      chunks.push(chunk);
    }
  } catch {
    return { kind: "aborted" };
  }
  const [only] = chunks;
  const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length);
  if ((request.headers["content-encoding"] ?? "identity").trim().toLowerCase() !== "gzip")
    return { kind: "body", body };
  const unpacked = await unpack(body, maxBytes);
  if (unpacked.kind === "body" && !take(unpacked.body.length)) return busy();
  return unpacked;
}

function unpack(packed: Buffer, maxBytes: number): Promise<BodyResult> {
  return new Promise((resolve) => {
    gunzip(packed, { maxOutputLength: maxBytes }, (error, body) => {
      if (error === null) resolve({ kind: "body", body });
      else if ("code" in error && error.code === "ERR_BUFFER_TOO_LARGE") resolve(tooLarge(maxBytes));
      else resolve(refused(400, `the body is not gzip: ${error.message}`));
    });
  });
}

function tooLarge(maxBytes: number): BodyResult {
  return refused(413, `the body is larger than ${String(maxBytes)} bytes; send it in smaller pieces`);
}

function busy(): BodyResult {
  return refused(503, "too many bytes in hand; send it again");
}

function refused(status: 400 | 413 | 415 | 503, reason: string): BodyResult {
  return { kind: "refused", status, reason };
}
