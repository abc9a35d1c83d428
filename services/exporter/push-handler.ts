import type { IncomingMessage, ServerResponse } from "node:http";
import type { ExporterConfig } from "../../model/exporter-config";
import { answer, answerJson, answerUnread } from "../plumbing/answers";
import { isBearer, type Tokens } from "./bearer";
import type { ExporterMetrics } from "./exporter-metrics";
import { limitAnswer, type PushStore } from "./push-store";
import { readBody, refusalFromHead, type BodyResult } from "../plumbing/read-body";

/** What the handler works with. */
export interface PushDeps {
  readonly config: ExporterConfig;
  readonly store: PushStore;
  readonly metrics: ExporterMetrics;
  /** Tokens of which a push must have one; undefined: anybody may push. */
  readonly tokens: () => Tokens | undefined;
}

/**
 * `POST /metrics`. Answers: 200 empty when every sample is stored; 400 with `{line, reason}` for a malformed body, of
 * which nothing is stored; 400 with `{accepted, rejected: [{line, reason}]}` when single samples were refused and the
 * rest is stored (`listedRejections` are listed; only if there are more, `moreRejected` is their number); 401, 404, 405,
 * 413, 415; 429 with Retry-After and `{reason, accepted, tenants, rejected}`, and `moreRejected` as before, when tenants
 * are over their limits and the rest is stored; 503 with Retry-After when no shard took some of the samples: sending the
 * same body again is harmless when its samples have timestamps.
 */
export class PushHandler {
  readonly #deps: PushDeps;

  constructor(deps: PushDeps) {
    this.#deps = deps;
  }

  /** Handles one request; `expectsContinue` when the client waits for leave to send its body. */
  async handle(request: IncomingMessage, response: ServerResponse, expectsContinue = false): Promise<void> {
    const { metrics, store } = this.#deps;
    const startedAt = performance.now();
    let held = 0;
    try {
      const status = await this.#answered(request, response, expectsContinue, (bytes) => (held += bytes));
      if (status !== undefined) metrics.pushes.add(1, { code: String(status) });
    } finally {
      store.budget.give(held);
      metrics.pushSeconds.observe((performance.now() - startedAt) / 1000);
    }
  }

  async #answered(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
    taken: (bytes: number) => void,
  ): Promise<number | undefined> {
    const { config, store, tokens } = this.#deps;
    const { maxBodyBytes } = config.limits;
    const valid = tokens();
    if (valid !== undefined && !isBearer(request.headers.authorization, valid)) {
      const reason = "push with the header Authorization: Bearer and a token that is known here";
      return answerUnread(request, response, 401, { reason }, { "www-authenticate": "Bearer" });
    }
    const path = (request.url ?? "").split("?", 1)[0];
    if (path !== "/metrics") return answerUnread(request, response, 404, { reason: "not found; push to /metrics" });
    if (request.method !== "POST") {
      const reason = `method ${request.method ?? ""} is not allowed; push with POST`;
      return answerUnread(request, response, 405, { reason }, { allow: "POST" });
    }
    const refusal = refusalFromHead(request, maxBodyBytes);
    if (refusal === undefined && expectsContinue) response.writeContinue();
    const result = refusal ?? (await readBody(request, maxBodyBytes, store.budget, taken));
    switch (result.kind) {
      case "aborted":
        return undefined;
      case "refused":
        return refuse(request, response, result);
      case "body":
        return await this.#store(response, result.body);
    }
  }

  async #store(response: ServerResponse, body: Buffer): Promise<number> {
    const { metrics, store } = this.#deps;
    metrics.receivedBytes.add(body.length);
    const outcome = await store.store(body);
    switch (outcome.kind) {
      case "malformed":
        return answerJson(response, 400, { line: outcome.line, reason: outcome.reason });
      case "unplaced": {
        const { reason, failures } = outcome;
        return answerJson(response, 503, { reason, failures }, { "retry-after": "1" });
      }
      case "stored":
        break;
    }
    const { accepted, refusals } = outcome;
    const { listed: rejected, more, total } = outcome.rejected;
    const listed = more === 0 ? { rejected } : { rejected, moreRejected: more };
    if (refusals.length > 0) {
      const { reason, retryAfter } = limitAnswer(refusals);
      const tenants = refusals.map(({ tenant, samples, reason: why }) => ({ tenant, samples, reason: why }));
      const content = { reason, accepted, tenants, ...listed };
      return answerJson(response, 429, content, { "retry-after": String(retryAfter) });
    }
    if (total > 0) return answerJson(response, 400, { accepted, ...listed });
    return answer(response, 200, "");
  }
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, reason }: BodyResult & { kind: "refused" },
): number {
  const headers: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
  if (status === 415) headers["accept-encoding"] = "gzip, identity";
  // Line 0: the body as a whole.
  const content = status === 400 ? { line: 0, reason } : { reason };
  return answerUnread(request, response, status, content, headers);
}
