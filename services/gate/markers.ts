import { request as startRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { storedLabels, type ShardLabels } from "../../model/stored-series";
import { answerJson, answerUnread } from "../plumbing/answers";
import { log, messageOf } from "../plumbing/log";
import { ByteBudget, readBody, refusalFromHead } from "../plumbing/read-body";
import type { GateMetrics } from "./gate-metrics";
import { MarkerLineError, readMarkerLines, type MarkerLine } from "./marker-lines";
import { remoteWriteBody, remoteWriteHeaders, samplesPerSeries } from "./remote-write";

/** The one path that writes. `/api/v1/write` itself stays closed to everybody. */
export const MARKERS_PATH = "/api/v1/stale-markers";

/** Largest body in bytes, packed or not; four times what an exporter sends at once. */
const maxBodyBytes = 4 * 1024 * 1024;
/** Bytes that all bodies in hand may hold. */
const bytesInHand = 2 * maxBodyBytes;
/** Milliseconds for Prometheus on loopback to write. */
const writeTimeout = 10_000;
/** Bytes of a refusal that are read for its message. */
const maxReasonBytes = 512;

/** What the markers are written with. */
export interface MarkersDeps {
  /** Base URL of Prometheus. */
  readonly upstream: string;
  readonly metrics: GateMetrics;
  /** Of this shard: on every series that is ended. */
  readonly labels: ShardLabels;
}

type Written =
  | { readonly kind: "written"; readonly samples: number }
  | { readonly kind: "failed"; readonly status: 502 | 503; readonly reason: string };

/**
 * Ends series that went to another shard: `POST /api/v1/stale-markers` with lines `series timestamp`. What goes on to
 * Prometheus' remote-write receiver is made here from nothing but series of this shard and the staleness marker: a client
 * has no means to write a value, whatever it sends. Answers: 200 with `{written, refused}` once Prometheus has the
 * markers (refused: its series has a sample at that very millisecond, or it is older than Prometheus takes); 400, 413
 * and 415 for a bad body; 502 and 503 when it should come again.
 */
export class Markers {
  readonly #deps: MarkersDeps;
  readonly #budget = new ByteBudget(bytesInHand);

  constructor(deps: MarkersDeps) {
    this.#deps = deps;
  }

  /** Handles one request; resolves with the status of the answer, undefined when the client went away. Never rejects. */
  async take(request: IncomingMessage, response: ServerResponse): Promise<number | undefined> {
    let held = 0;
    const taken = (bytes: number) => (held += bytes);
    try {
      const result =
        refusalFromHead(request, maxBodyBytes) ?? (await readBody(request, maxBodyBytes, this.#budget, taken));
      if (result.kind === "aborted") return undefined;
      if (result.kind === "refused") return answerUnread(request, response, result.status, { reason: result.reason });
      return await this.#store(response, result.body.toString());
    } finally {
      this.#budget.give(held);
    }
  }

  async #store(response: ServerResponse, text: string): Promise<number> {
    const { labels, metrics } = this.#deps;
    let lines: readonly MarkerLine[];
    try {
      lines = readMarkerLines(text);
    } catch (error) {
      if (!(error instanceof MarkerLineError)) throw error;
      return answerJson(response, 400, { reason: error.message });
    }
    if (lines.length === 0) return answerJson(response, 200, { written: 0, refused: 0 });
    const result = await this.#write(
      remoteWriteBody(
        lines.map(({ labels: pushed, timestamp }) => ({ labels: storedLabels(pushed, labels), timestamp })),
      ),
    );
    if (result.kind === "failed") {
      log("warn", "Prometheus did not take staleness markers", { series: lines.length, reason: result.reason });
      return answerJson(response, result.status, { reason: result.reason }, { "retry-after": "1" });
    }
    const refused = lines.length * samplesPerSeries - result.samples;
    metrics.markers.add(result.samples, { result: "written" });
    metrics.markers.add(refused, { result: "refused" });
    return answerJson(response, 200, { written: result.samples, refused });
  }

  #write(body: Buffer): Promise<Written> {
    const { upstream } = this.#deps;
    return new Promise((resolve) => {
      const fail = (status: 502 | 503, reason: string): void => resolve({ kind: "failed", status, reason });
      const outgoing = startRequest(`${upstream}/api/v1/write`, {
        method: "POST",
        agent: false,
        timeout: writeTimeout,
        headers: { ...remoteWriteHeaders, "content-length": body.length },
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${String(writeTimeout)} ms`)));
      outgoing.on("error", (error) => fail(502, `upstream ${upstream} did not answer: ${messageOf(error)}`));
      outgoing.on("response", (incoming) => {
        let reason = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (reason = (reason + chunk).slice(0, maxReasonBytes)));
        incoming.on("error", (error) => fail(502, messageOf(error)));
        incoming.on("end", () => {
          const status = incoming.statusCode ?? 0;
          const samples = Number(incoming.headers["x-prometheus-remote-write-samples-written"] ?? Number.NaN);
          // 400: single samples were refused, the others are written.
          const isWritten = (status >= 200 && status < 300) || status === 400;
          if (isWritten && Number.isInteger(samples)) resolve({ kind: "written", samples });
          else fail(503, `Prometheus answered ${String(status)}: ${reason.trim()}`);
        });
      });
      outgoing.end(body);
    });
  }
}
