import { readFileSync } from "node:fs";
import { request } from "node:https";
import { createInterface } from "node:readline";
import { pkiFile } from "./pki";
import { settings } from "./settings";

function options(method: string, path: string, contentType: string) {
  return {
    host: "127.0.0.1",
    port: settings.relayPort,
    method,
    path,
    ca: readFileSync(pkiFile("ca.crt")),
    cert: readFileSync(pkiFile("admin.crt")),
    key: readFileSync(pkiFile("admin.key")),
    headers: { "content-type": contentType },
  };
}

/** What the API server answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** One request to the local cluster's API server through the relay; status 0 while nothing answers. */
export function callApi(method: string, path: string, body?: object): Promise<ApiAnswer> {
  const contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
  return new Promise((resolve) => {
    const call = request({ ...options(method, path, contentType), agent: false, timeout: 10_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: text });
      });
    });
    call.on("timeout", () => call.destroy());
    call.on("error", (error) => {
      resolve({ status: 0, body: error.message });
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Follows a resource list; `onEvent` gets every object as it is now and whenever it changes. Ends when the stream does. */
export function watchApi(path: string, onEvent: (type: string, object: unknown) => void): Promise<void> {
  return new Promise((resolve) => {
    const call = request({ ...options("GET", `${path}?watch=1`, "application/json"), agent: false }, (response) => {
      createInterface({ input: response }).on("line", (line) => {
        const event: unknown = JSON.parse(line);
        if (typeof event === "object" && event !== null && "type" in event && "object" in event) {
          onEvent(String(event.type), event.object);
        }
      });
      response.on("close", resolve);
    });
    call.on("error", () => {
      resolve();
    });
    call.end();
  });
}
