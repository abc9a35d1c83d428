import { createServer, type Server } from "node:http";
import { textOf } from "../http-helpers";

/** A root as far as the gate knows it: a list of what it has seen, and answers. */
export class FakeRoot {
  listed: readonly string[] | undefined;
  looks = 0;
  queries: string[] = [];
  answer: { readonly status: number; readonly text: string } = { status: 200, text: '{"status":"success"}' };

  server(): Server {
    return createServer((request, response) => {
      if (request.url === "/api/v1/stores") {
        this.looks += 1;
        if (this.listed === undefined) {
          response.writeHead(500).end("{}");
          return;
        }
        const names = this.listed.map((name) => ({ name, lastError: "down, but seen once" }));
        response.end(JSON.stringify({ status: "success", data: { query: names } }));
        return;
      }
      void textOf(request).then((body) => {
        this.queries.push(`${request.method ?? ""} ${request.url ?? ""} ${body}`);
        response.writeHead(this.answer.status, { "content-type": "application/json" });
        response.end(this.answer.text);
      });
    });
  }
}
