import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExporterConfig } from "../../model/exporter-config";
import { answer, answerJson, answerUnread } from "../plumbing/answers";
import { screen, type Rejection } from "./bounds";
import type { ExporterMetrics } from "./exporter-metrics";
import { parseExposition } from "./exposition";
import { ExpositionError } from "./exposition-error";
import type { Failover } from "./failover";
import { ByteBudget, readBody, refusalFromHead, type BodyResult } from "./read-body";
import type { Samples } from "./samples";
import type { SeriesByKey } from "./series-by-key";

/** Pushes in hand may hold this many times the largest body, packed and unpacked bytes together. */
const bodiesInHand = 4;

/** What the handler works with. */
export interface PushDeps {
  readonly config: ExporterConfig;
  readonly failover: Failover;
  readonly metrics: ExporterMetrics;
  /** Counts what is stored, for the placement; default: nobody does. */
  readonly series?: SeriesByKey | undefined;
  /** Milliseconds since the epoch; tests put their own in. */
  readonly now?: () => number;
}

/**
 * `POST /metrics`. Answers: 200 empty when every sample is stored; 400 with `{line, reason}` for a malformed body, of
 * which nothing is stored; 400 with `{accepted, rejected: [{line, reason}]}` when single samples were refused and the
 * rest is stored; 404, 405, 413, 415; 503 with Retry-After when no shard took some of the samples: sending the same
 * body again is harmless when its samples have timestamps.
 */
export class PushHandler {
  readonly #deps: PushDeps;
  readonly #budget: ByteBudget;

  constructor(deps: PushDeps) {
    this.#deps = deps;
    const limit = deps.config.limits.maxBodyBytes * bodiesInHand;
    this.#budget = new ByteBudget(limit, (used) => deps.metrics.inFlightBytes.set(used));
  }

  /** Handles one request; `expectsContinue` when the client waits for leave to send its body. */
  async handle(request: IncomingMessage, response: ServerResponse, expectsContinue = false): Promise<void> {
    const startedAt = performance.now();
    let held = 0;
    try {
      const status = await this.#answered(request, response, expectsContinue, (bytes) => (held += bytes));
      if (status !== undefined) this.#deps.metrics.pushes.add(1, { code: String(status) });
    } finally {
      this.#budget.give(held);
      this.#deps.metrics.pushSeconds.observe((performance.now() - startedAt) / 1000);
    }
  }

  async #answered(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
    taken: (bytes: number) => void,
  ): Promise<number | undefined> {
    const { maxBodyBytes } = this.#deps.config.limits;
    const path = (request.url ?? "").split("?", 1)[0];
    if (path !== "/metrics") return answerUnread(request, response, 404, { reason: "not found; push to /metrics" });
    if (request.method !== "POST") {
      const reason = `method ${request.method ?? ""} is not allowed; push with POST`;
      return answerUnread(request, response, 405, { reason }, { allow: "POST" });
    }
    const refusal = refusalFromHead(request, maxBodyBytes);
    if (refusal === undefined && expectsContinue) response.writeContinue();
    const result = refusal ?? (await readBody(request, maxBodyBytes, this.#budget, taken));
    switch (result.kind) {
      case "aborted":
        return undefined;
      case "refused":
        return this.#refuse(request, response, result);
      case "body":
        return await this.#store(response, result.body);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: BodyResult & { kind: "refused" }): number {
    const { status, reason } = refusal;
    const headers: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
    if (status === 415) headers["accept-encoding"] = "gzip, identity";
    // Line 0: the body as a whole.
    const content = status === 400 ? { line: 0, reason } : { reason };
    return answerUnread(request, response, status, content, headers);
  }

  async #store(response: ServerResponse, body: Buffer): Promise<number> {
    const { config, failover, metrics } = this.#deps;
    metrics.receivedBytes.add(body.length);
    const now = (this.#deps.now ?? Date.now)();
    const samples = parsed(body, config.shardLabel, now);
    if (samples instanceof ExpositionError) {
      return answerJson(response, 400, { line: samples.line, reason: samples.reason });
    }
    const { kept, rejections } = screen(samples, { now, ...config.limits });
    const placement = await failover.store(samples, kept);
    const rejected = [...rejections, ...placement.rejections].sort((left, right) => left.line - right.line);
    const accepted = samples.count - rejected.length - placement.unplaced;
    metrics.acceptedSamples.add(accepted);
    this.#deps.series?.count(samples, kept);
    for (const { kind } of rejected) metrics.rejectedSamples.add(1, { reason: kind });
    if (placement.unplaced > 0) {
      const reason = `no shard took ${String(placement.unplaced)} of ${String(samples.count)} samples; send the same body again`;
      return answerJson(response, 503, { reason, failures: placement.failures }, { "retry-after": "1" });
    }
    if (rejected.length > 0) return answerJson(response, 400, { accepted, rejected: rejected.map(listed) });
    return answer(response, 200, "");
  }
}

function parsed(body: Buffer, shardLabel: string, receiveTime: number): Samples | ExpositionError {
  try {
    return parseExposition(body, { shardLabel, receiveTime });
  } catch (error) {
    if (error instanceof ExpositionError) return error;
    throw error;
  }
}

function listed({ line, reason }: Rejection): { line: number; reason: string } {
  return { line, reason };
}
