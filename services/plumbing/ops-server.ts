import { createServer, type Server, type ServerResponse } from "node:http";
import { answer } from "./answers";

const exposition = "text/plain; version=0.0.4; charset=utf-8";

/** What the second port tells. */
export interface OpsDeps {
  /** Undefined when ready, else why not. */
  readonly notReady: () => string | undefined;
  /** Own metrics, text format 0.0.4. */
  readonly metrics: () => string;
  /** More pages by path, each one JSON text, or undefined while there is none (404); default: none. */
  readonly pages?: Readonly<Record<string, () => string | undefined>>;
}

/** Server of the second port: `/-/healthy`, `/-/ready`, `/metrics` and what a service adds; GET and HEAD. */
export function opsServer({ notReady, metrics, pages: more = {} }: OpsDeps): Server {
  const pages = new Map<string, (response: ServerResponse) => number>([
    ["/-/healthy", (response) => answer(response, 200, "ok\n")],
    ["/-/ready", (response) => answer(response, notReady() === undefined ? 200 : 503, `${notReady() ?? "ready"}\n`)],
    ["/metrics", (response) => answer(response, 200, metrics(), { "content-type": exposition })],
    ...Object.entries(more).map(
      ([path, text]) => [path, (response: ServerResponse) => page(response, text())] as const,
    ),
  ]);
  return createServer((request, response) => {
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(response, 405, "method not allowed\n", { allow: "GET, HEAD" });
      return;
    }
    const show = pages.get((request.url ?? "").split("?", 1)[0] ?? "");
    if (show === undefined) answer(response, 404, "not found\n");
    else show(response);
  });
}

function page(response: ServerResponse, text: string | undefined): number {
  if (text === undefined) return answer(response, 404, "there is none yet\n");
  return answer(response, 200, text, { "content-type": "application/json" });
}
