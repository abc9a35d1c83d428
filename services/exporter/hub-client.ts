import { request, type IncomingMessage } from "node:http";
import type { ExporterHub } from "../../model/exporter-shards";
import { messageOf } from "../plumbing/log";
import { ConnectionPool } from "./connection-pool";
import type { FailureKind, HubOutcome } from "./hub-outcome";
import { PushQueue } from "./push-queue";

export type { HubOutcome } from "./hub-outcome";

/**
 * Connections are given up after this long, in milliseconds, so that a hub that is being taken down is left by its
 * exporters before its last scrape: its Service sends new connections elsewhere, old ones would stay.
 */
export const connectionLifetime = 5_000;

/** Bytes of an answer that are read for its message. */
const maxAnswerBytes = 2_048;

type Attempt =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  | { readonly kind: "failed"; readonly failure: FailureKind; readonly detail: string; readonly reused: boolean };

/** What a hub client does, for those who put another in its place. */
export interface Hub {
  readonly push: (body: Buffer) => Promise<HubOutcome>;
  readonly probe: () => Promise<boolean>;
}

/** Sends pushes and probes to one hub over kept-alive connections. */
export class HubClient implements Hub {
  readonly #url: string;
  readonly #timeout: number;
  readonly #onRetry: () => void;
  readonly #pool = new ConnectionPool(connectionLifetime);
  readonly #queue: PushQueue;

  /** `timeout`: milliseconds for one push or probe, connecting included. `onRetry`: a push is repeated (see `push`). */
  constructor(hub: Pick<ExporterHub, "url">, timeout: number, onRetry: () => void = () => undefined) {
    this.#url = hub.url;
    this.#timeout = timeout;
    this.#onRetry = onRetry;
    this.#queue = new PushQueue((bodies, deadline) => this.#send(bodies, deadline), timeout);
  }

  /** Pushes a body of canonical lines, together with others that wait for the hub (see `PushQueue`); never rejects. */
  push(body: Buffer): Promise<HubOutcome> {
    return this.#queue.push(body);
  }

  /**
   * Sends bodies as one. A connection that was kept alive may have been closed by the hub
   * just before, which looks like an empty reply: then the push is repeated once on a new connection. That is harmless,
   * since every line has its timestamp.
   */
  async #send(bodies: readonly Buffer[], deadline: number): Promise<HubOutcome> {
    let attempt = await this.#attempt("POST", "/metrics", bodies, deadline);
    if (attempt.kind === "failed" && attempt.failure === "empty-reply" && attempt.reused) {
      this.#onRetry();
      this.#pool.renew();
      attempt = await this.#attempt("POST", "/metrics", bodies, deadline);
    }
    return outcomeOf(attempt);
  }

  /** Whether the hub is there: asks `/`, since asking `/metrics` would empty it. Never rejects. */
  async probe(): Promise<boolean> {
    const attempt = await this.#attempt("GET", "/", [], Date.now() + this.#timeout);
    return attempt.kind === "answered" && attempt.status === 200;
  }

  #attempt(method: "GET" | "POST", path: string, bodies: readonly Buffer[], deadline: number): Promise<Attempt> {
    return new Promise((resolve) => {
      const lease = this.#pool.lease();
      const length = bodies.reduce((sum, body) => sum + body.length, 0);
      const headers = { "content-type": "text/plain; version=0.0.4; charset=utf-8", "content-length": length };
      const outgoing = request(`${this.#url}${path}`, { method, agent: lease.agent, headers });
      const settle = (attempt: Attempt): void => {
        clearTimeout(timer);
        resolve(attempt);
      };
      const fail = (failure: FailureKind, detail: string): void =>
        settle({ kind: "failed", failure, detail, reused: outgoing.reusedSocket });
      const timer = setTimeout(
        () => {
          fail("timeout", `no answer within ${String(this.#timeout)} ms`);
          outgoing.destroy();
        },
        Math.max(0, deadline - Date.now()),
      );
      outgoing.on("response", (response) => {
        readAnswer(response).then(
          (text) => settle({ kind: "answered", status: response.statusCode ?? 0, text }),
          (error: unknown) => fail("empty-reply", messageOf(error)),
        );
      });
      outgoing.on("error", (error) => fail(failureOf(error), messageOf(error)));
      outgoing.on("close", lease.release);
      // One writev(2) with the head and all bodies, none of them copied.
      outgoing.cork();
      for (const body of bodies) outgoing.write(body);
      outgoing.end();
      outgoing.uncork();
    });
  }
}

/** 200 is the hub's only yes; 406 says that it is full; see facts/edge-hub.md, "HTTP interface". */
function outcomeOf(attempt: Attempt): HubOutcome {
  if (attempt.kind === "failed") return attempt;
  const { status, text } = attempt;
  const detail = `${String(status)} ${text.trim()}`.trim();
  if (status === 200) return { kind: "stored" };
  if (status === 406) return { kind: "failed", failure: "full", detail };
  if (status >= 400 && status < 500) return { kind: "bad-payload", detail };
  return { kind: "failed", failure: status >= 500 ? "status-5xx" : "unexpected-status", detail };
}

const notConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Not connected at all, or connected and left without an answer. */
function failureOf({ code }: NodeJS.ErrnoException): FailureKind {
  if (code === undefined) return "empty-reply";
  if (code === "ETIMEDOUT") return "timeout";
  return notConnected.has(code) ? "refused" : "empty-reply";
}

async function readAnswer(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) if (text.length < maxAnswerBytes) text += String(chunk);
  return text.slice(0, maxAnswerBytes);
}
