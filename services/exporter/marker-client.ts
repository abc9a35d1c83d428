import { request } from "node:http";
import { messageOf } from "../plumbing/log";

/** What became of one batch of staleness markers. */
export type MarkerOutcome =
  | { readonly kind: "written" }
  /** It may be taken later. */
  | { readonly kind: "failed"; readonly detail: string }
  /** It never will. */
  | { readonly kind: "refused"; readonly detail: string };

/** Writes staleness markers to one Prometheus; tests put their own in. */
export interface MarkerClient {
  /** Sends gzipped lines `series timestamp`. Never rejects. */
  readonly write: (body: Buffer) => Promise<MarkerOutcome>;
}

/** Milliseconds for one request, connecting included. */
const writeTimeout = 15_000;
const maxAnswerBytes = 512;

/** Sends markers to the gate before a Prometheus (services/gate/markers.ts). */
export class GateMarkerClient implements MarkerClient {
  readonly #url: string;

  /** @param prometheusUrl Base URL of the gate's port for exporters. */
  constructor(prometheusUrl: string) {
    this.#url = `${prometheusUrl}/api/v1/stale-markers`;
  }

  /** A connection each time: moves are rare, and a Prometheus that restarts has another address. */
  readonly write = (body: Buffer): Promise<MarkerOutcome> =>
    new Promise((resolve) => {
      const fail = (error: unknown): void => resolve({ kind: "failed", detail: messageOf(error) });
      const outgoing = request(this.#url, {
        method: "POST",
        agent: false,
        headers: { "content-type": "text/plain", "content-encoding": "gzip", "content-length": body.length },
      });
      const timer = setTimeout(
        () => outgoing.destroy(new Error(`no answer within ${String(writeTimeout)} ms`)),
        writeTimeout,
      );
      timer.unref();
      outgoing.on("close", () => clearTimeout(timer));
      outgoing.on("error", fail);
      outgoing.on("response", (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text = (text + chunk).slice(0, maxAnswerBytes)));
        incoming.on("error", fail);
        incoming.on("end", () => {
          const status = incoming.statusCode ?? 0;
          const detail = `${String(status)} ${text.trim()}`;
          if (status === 200) resolve({ kind: "written" });
          // 403 and 404: a gate of an earlier version, which an update replaces.
          else resolve({ kind: status === 400 || status === 413 || status === 415 ? "refused" : "failed", detail });
        });
      });
      outgoing.end(body);
    });
}
