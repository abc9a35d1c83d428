import { request, type IncomingMessage } from "node:http";
import { messageOf } from "../plumbing/log";
import { AnswerScanner, type Envelope } from "./answer-scanner";
import type { ListOf } from "./series-reader";

/** The replica did not answer, or not to the end: another one may. */
export class ReplicaFailure extends Error {}

/** Prometheus answered that the query can't be answered; `type` is its `errorType`. */
export class QueryFailure extends Error {
  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

export type Form = Readonly<Record<string, string>>;

/** How a request may end early. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Milliseconds until the head of the answer must have come. */
  readonly firstByte: number;
}

/** Milliseconds for a connection to be made. */
const connectTimeout = 2_000;
/** Longest text that is read of an answer that is not an answer to a query. */
const pageLimit = 8 * 1024 * 1024;

/**
 * Asks Prometheus' query API and reads the answer series by series.
 * @param path `/api/v1/query`, `/api/v1/query_range`, or `/api/v1/series`, which answers with `labels` alone.
 * @param each Called for each series with the content of its `TimeSeries`, labels first; what it throws ends the request and is thrown on.
 * @throws QueryFailure, ReplicaFailure
 */
export async function ask(
  url: string,
  path: string,
  form: Form,
  { signal, firstByte }: RequestOptions,
  each: (content: Buffer, labelsEnd: number) => void,
  listOf: ListOf = "series",
): Promise<Envelope> {
  const incoming = await open(url, path, new URLSearchParams(form), { signal, firstByte });
  const scanner = new AnswerScanner(each, listOf);
  try {
    await drain(incoming, signal, (chunk) => scanner.push(chunk));
    const envelope = scanner.end();
    if (envelope.status === "success") return envelope;
    // 500 is a fault of this server; timeouts and refusals are about the query.
    if (envelope.errorType === "internal" || envelope.errorType === "unavailable") {
      throw new ReplicaFailure(envelope.error ?? envelope.errorType);
    }
    throw new QueryFailure(envelope.errorType ?? "", envelope.error ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new ReplicaFailure(`${url}${path}: status ${String(incoming.statusCode)}: not an answer of Prometheus`);
    }
    throw error;
  } finally {
    incoming.destroy();
  }
}

/**
 * A page of Prometheus as text, such as `/metrics`.
 * @throws ReplicaFailure also for any status but 200.
 */
export async function page(url: string, path: string, options: RequestOptions): Promise<string> {
  const incoming = await open(url, path, undefined, options);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    await drain(incoming, options.signal, (chunk) => {
      size += chunk.length;
      if (size > pageLimit) throw new ReplicaFailure(`${url}${path}: longer than ${String(pageLimit)} bytes`);
      chunks.push(chunk);
    });
  } finally {
    incoming.destroy();
  }
  if (incoming.statusCode !== 200) throw new ReplicaFailure(`${url}${path}: status ${String(incoming.statusCode)}`);
  return Buffer.concat(chunks).toString();
}

/**
 * The whole answer to a request as bytes, whatever it is.
 * @param taken Told of the bytes as they come; what it throws ends the request and is thrown on.
 * @throws ReplicaFailure
 */
export async function bytesOf(
  url: string,
  path: string,
  form: URLSearchParams,
  options: RequestOptions,
  taken: (bytes: number) => void,
): Promise<{ readonly status: number; readonly body: Buffer }> {
  const incoming = await open(url, path, form, options);
  const chunks: Buffer[] = [];
  try {
    await drain(incoming, options.signal, (chunk) => {
      taken(chunk.length);
      chunks.push(chunk);
    });
  } finally {
    incoming.destroy();
  }
  return { status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) };
}

async function drain(incoming: IncomingMessage, signal: AbortSignal, take: (chunk: Buffer) => void): Promise<void> {
  let taken: { readonly error: unknown } | undefined;
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      try {
        take(chunk);
      } catch (error) {
        taken = { error };
        break;
      }
    }
  } catch (error) {
    throw new ReplicaFailure(signal.aborted ? reasonOf(signal) : `the answer broke off: ${messageOf(error)}`);
  }
  if (taken !== undefined) throw taken.error;
  if (signal.aborted) throw new ReplicaFailure(reasonOf(signal));
}

/**
 * Sends a request and waits for the head of its answer. Each request has a connection of its own: within a cluster that
 * is cheap, and none can be found closed.
 */
function open(
  url: string,
  path: string,
  form: URLSearchParams | undefined,
  options: RequestOptions,
): Promise<IncomingMessage> {
  const { signal, firstByte } = options;
  return new Promise((resolve, reject) => {
    const body = form?.toString();
    const outgoing = request(url + path, {
      agent: false,
      signal,
      method: body === undefined ? "GET" : "POST",
      headers: {
        connection: "close",
        ...(body === undefined
          ? {}
          : { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) }),
      },
    });
    const late = (what: string) => () => outgoing.destroy(new Error(what));
    const connecting = setTimeout(late("no connection"), Math.min(connectTimeout, firstByte));
    const waiting = setTimeout(late(`no answer within ${String(Math.round(firstByte))} ms`), firstByte);
    outgoing.on("socket", (socket) => socket.once("connect", () => clearTimeout(connecting)));
    const settled = () => {
      clearTimeout(connecting);
      clearTimeout(waiting);
    };
    outgoing.on("response", (incoming) => {
      settled();
      resolve(incoming);
    });
    outgoing.on("error", (error) => {
      settled();
      reject(new ReplicaFailure(`${url}: ${signal.aborted ? reasonOf(signal) : messageOf(error)}`));
    });
    outgoing.end(body);
  });
}

function reasonOf(signal: AbortSignal): string {
  return messageOf(signal.reason);
}
