import { request } from "node:http";
import { messageOf } from "./log";

/** An answer that was read to its end. */
export interface Asked {
  readonly status: number;
  readonly text: string;
}

/** Largest answer that is read, in characters. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

/** Sends a request without a body on a connection of its own. @throws Error with method and URL when no whole answer comes. */
export function ask(method: "GET" | "POST", url: string, timeout: number): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(new Error(`${method} ${url}: ${messageOf(error)}`));
    const outgoing = request(url, { method, agent: false, timeout, headers: { "content-length": 0 } });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${String(timeout)} ms`)));
    outgoing.on("error", fail);
    outgoing.on("response", (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LONGEST_ANSWER) incoming.destroy(new Error("the answer is too long"));
      });
      incoming.on("error", fail);
      incoming.on("end", () => {
        if (incoming.complete) resolve({ status: incoming.statusCode ?? 0, text });
        else fail(new Error("the answer was cut off"));
      });
    });
    outgoing.end();
  });
}
