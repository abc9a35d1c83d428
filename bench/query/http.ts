/** Asking over HTTP as a dashboard does: one kept connection, the clock stops at the answer's last byte. */

import { Agent, request } from "node:http";
import type { ApiRequest } from "./query-set";

/** An answer, and how long it took until its last byte, in seconds. */
export interface Timed {
  readonly seconds: number;
  readonly status: number;
  readonly body: Buffer;
}

/** More than Prometheus' and Thanos' own two minutes, so that it is they who give up. */
const TIMEOUT_MILLISECONDS = 150_000;
const agent = new Agent({ keepAlive: true });

/** Asks; a connection that fails is an answer with status 0 and the reason as its body. */
export async function ask(url: string, what: ApiRequest): Promise<Timed> {
  const first = await askOnce(url, what);
  // The server may close a kept connection in the moment in which it is used again: that is no failure of the query.
  return first.wasStale ? askOnce(url, what) : first;
}

function askOnce(
  url: string,
  { path, parameters, method }: ApiRequest,
): Promise<Timed & { readonly wasStale: boolean }> {
  const encoded = new URLSearchParams(parameters).toString();
  const target = method === "GET" ? `${url}/api/v1${path}?${encoded}` : `${url}/api/v1${path}`;
  const headers = method === "GET" ? {} : { "content-type": "application/x-www-form-urlencoded" };
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  return new Promise((resolve) => {
    const sent = request(target, { agent, method, headers, timeout: TIMEOUT_MILLISECONDS }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", failed);
      response.on("end", () => {
        const status = response.statusCode ?? 0;
        resolve({ seconds: seconds(), status, body: Buffer.concat(chunks), wasStale: false });
      });
    });
    const failed = (error: NodeJS.ErrnoException): void => {
      const wasStale = sent.reusedSocket && error.code === "ECONNRESET";
      resolve({ seconds: seconds(), status: 0, body: Buffer.from(error.message), wasStale });
    };
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${String(TIMEOUT_MILLISECONDS / 1_000)} s`)));
    sent.on("error", failed);
    sent.end(method === "GET" ? undefined : encoded);
  });
}

/** Why an answer is no success. */
export function reasonOf({ status, body }: Timed): string {
  return `HTTP ${String(status)}: ${body.toString("utf8", 0, 300)}`;
}
