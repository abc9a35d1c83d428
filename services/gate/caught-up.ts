import { request } from "node:http";
import { log } from "../plumbing/log";

/** Milliseconds for Prometheus on loopback to answer; a probe waits 3 s. */
const answerTimeout = 2_000;
/** Milliseconds in which Prometheus finds targets: a look-up every 5 s, handed on every 5 s, and some more. */
const discoveryTime = 15_000;
/** Milliseconds after which nothing is waited for any longer: a minute is the longest scrape interval. */
const longestWait = 120_000;

/** What the question needs. */
export interface CaughtUpDeps {
  /** Base URL of Prometheus. */
  readonly upstream: string;
  /** The scrape pool whose targets buffer while Prometheus is away. */
  readonly pool: string;
  /** Milliseconds, monotonic; tests put their own in. */
  readonly now?: () => number;
}

/**
 * Whether a Prometheus that was away has taken over what its hub kept for it meanwhile. Until then its newest samples are
 * missing, so it should neither be asked nor let the shard's other replica go. A scrape that fails counts: there is
 * nothing to wait for then. So does a Prometheus that has nothing from before its start: it was not away.
 */
export class CaughtUp {
  readonly #deps: CaughtUpDeps;
  /** When Prometheus was first seen ready, since it was last seen otherwise. */
  #readySince: number | undefined;
  #isDone = false;

  constructor(deps: CaughtUpDeps) {
    this.#deps = deps;
  }

  /** Why Prometheus is to count as not ready yet; undefined when it speaks for itself. Never rejects. */
  async reason(): Promise<string | undefined> {
    const now = (this.#deps.now ?? (() => performance.now()))();
    if ((await this.#get("/-/ready")) === undefined) {
      this.#readySince = undefined;
      this.#isDone = false;
      return undefined;
    }
    this.#readySince ??= now;
    const waited = now - this.#readySince;
    if (!this.#isDone) this.#isDone = await this.#look(waited);
    if (this.#isDone) return undefined;
    if (waited < longestWait) return `waiting for the first scrape of ${this.#deps.pool}`;
    log("warn", "no scrape to wait for", { pool: this.#deps.pool, waited });
    this.#isDone = true;
    return undefined;
  }

  async #look(waited: number): Promise<boolean> {
    if (startedEmpty((await this.#get("/metrics")) ?? "")) return true;
    const pool = encodeURIComponent(this.#deps.pool);
    const scrapes = lastScrapes((await this.#get(`/api/v1/targets?state=active&scrapePool=${pool}`)) ?? "");
    // None after that time: a retired shard has no hub.
    if (scrapes.length === 0) return waited >= discoveryTime;
    return scrapes.every((at) => !at.startsWith("0001-"));
  }

  /** The text of a 200; undefined for any other answer, and for none. */
  #get(path: string): Promise<string | undefined> {
    const { upstream } = this.#deps;
    return new Promise((resolve) => {
      const outgoing = request(upstream + path, { agent: false, timeout: answerTimeout }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", () => resolve(undefined));
        incoming.on("end", () => resolve(incoming.statusCode === 200 ? text : undefined));
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${String(answerTimeout)} ms`)));
      // The gate tells so itself, when it passes the probe on.
      outgoing.on("error", () => resolve(undefined));
      outgoing.end();
    });
  }
}

/** Whether nothing in the head is older than the process; an empty head's minimum is far in the future. */
function startedEmpty(metrics: string): boolean {
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1] ?? Number.NaN);
  return value("prometheus_tsdb_head_min_time_seconds") >= value("process_start_time_seconds");
}

/** When each target was scraped last (RFC 3339); the year 1 is never. */
function lastScrapes(text: string): readonly string[] {
  try {
    const { data } = JSON.parse(text) as { readonly data?: { readonly activeTargets?: readonly unknown[] } };
    return (data?.activeTargets ?? []).map(
      (target) => (target as { readonly lastScrape?: string }).lastScrape ?? "0001-",
    );
  } catch {
    return [];
  }
}
