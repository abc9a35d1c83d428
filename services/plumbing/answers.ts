import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** Answers with a text and gives the status back. */
export function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: OutgoingHttpHeaders = {},
): number {
  const type = text === "" ? {} : { "content-type": "text/plain; charset=utf-8" };
  response.writeHead(status, { ...type, ...headers, "content-length": Buffer.byteLength(text) });
  response.end(text);
  return status;
}

/** Answers with JSON on one line and gives the status back. */
export function answerJson(
  response: ServerResponse,
  status: number,
  content: unknown,
  headers: OutgoingHttpHeaders = {},
): number {
  return answer(response, status, `${JSON.stringify(content)}\n`, { "content-type": "application/json", ...headers });
}

/** How long, and how much of, a body that nobody wants is still read: milliseconds, bytes. */
const discardTime = 5_000;
const discardBytes = 64 * 1024 * 1024;

/**
 * Answers a request whose body has not been read to its end. The answer goes out at once, but the connection is kept
 * until the client has sent its body or stops: closing it under the client's hands would make it lose the answer.
 */
export function answerUnread(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  content: unknown,
  headers: OutgoingHttpHeaders = {},
): number {
  if (request.readableEnded || (request.complete && request.readableLength === 0)) {
    return answerJson(response, status, content, headers);
  }
  const text = `${JSON.stringify(content)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    ...headers,
    connection: "close",
    "content-length": Buffer.byteLength(text),
  });
  response.write(text);
  let discarded = 0;
  const finish = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, discardTime);
  timer.unref();
  request.on("data", (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > discardBytes) finish();
  });
  request.once("end", finish);
  request.once("close", finish);
  request.once("error", finish);
  return status;
}
