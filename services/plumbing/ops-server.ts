import { createServer, type Server, type ServerResponse } from "node:http";
import { answer } from "./answers";

const exposition = "text/plain; version=0.0.4; charset=utf-8";

/** What the second port tells. */
export interface OpsDeps {
  /** Undefined when ready, else why not. */
  readonly notReady: () => string | undefined;
  /** Own metrics, text format 0.0.4. */
  readonly metrics: () => string;
}

/** Server of the second port: `/-/healthy`, `/-/ready`, `/metrics`; GET and HEAD. */
export function opsServer({ notReady, metrics }: OpsDeps): Server {
  const pages = new Map<string, (response: ServerResponse) => number>([
    ["/-/healthy", (response) => answer(response, 200, "ok\n")],
    ["/-/ready", (response) => answer(response, notReady() === undefined ? 200 : 503, `${notReady() ?? "ready"}\n`)],
    ["/metrics", (response) => answer(response, 200, metrics(), { "content-type": exposition })],
  ]);
  return createServer((request, response) => {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(response, 405, "method not allowed\n", { allow: "GET, HEAD" });
      return;
    }
    const page = pages.get((request.url ?? "").split("?", 1)[0] ?? "");
    if (page === undefined) answer(response, 404, "not found\n");
    else page(response);
  });
}
