import { lookup } from "node:dns/promises";
import { request } from "node:http";
import type { ExpectedEndpoint } from "../../model/root-gate-config";

/** Milliseconds for the root on loopback to answer. */
const answerTimeout = 2_000;
/**
 * Milliseconds for which an answer is believed. Shorter than any restart of the root: kubelet looks for containers that
 * have ended once a second, and a root that has just started knows nothing.
 */
const belief = 250;
/** Prefix of the names of endpoint groups (thanos v0.42.4 cmd/thanos/endpointset.go). */
const groupPrefix = "thanos:///";

/** What the question needs. */
export interface SeenEndpointsDeps {
  /** Base URL of the root. */
  readonly upstream: string;
  /** Every endpoint of its file. */
  readonly expected: readonly ExpectedEndpoint[];
  /** Milliseconds, monotonic; tests put their own in. */
  readonly now?: () => number;
}

/**
 * Whether a root Querier has seen every endpoint of its file since it started. A strict endpoint that was seen once stays
 * in the root's list, and makes answers errors while it is down; one that was never seen is not an engine yet, and
 * answers leave its shard out without a word (thanos v0.42.4 pkg/query/endpointset.go, pkg/query/remote_engine.go).
 */
export class SeenEndpoints {
  readonly #deps: SeenEndpointsDeps;
  #reason: string | undefined = "the root has not been asked yet";
  #at = -Infinity;
  #look: Promise<void> | undefined;

  constructor(deps: SeenEndpointsDeps) {
    this.#deps = deps;
  }

  /** Why the root may not answer; undefined when it may. Never rejects. */
  async reason(): Promise<string | undefined> {
    if (this.#now() - this.#at < belief) return this.#reason;
    // One look serves all who ask meanwhile; it began before some of them did, by less than an answer takes.
    this.#look ??= this.#lookOnce().finally(() => (this.#look = undefined));
    await this.#look;
    return this.#reason;
  }

  /** Addresses of endpoints in an error's text, with the shard beside each: connections tell of addresses only. */
  async explain(text: string): Promise<string> {
    if (!/\b(?:dial|lookup|read|write) /.test(text)) return text;
    const known = await Promise.all(
      this.#deps.expected.map(async ({ shard, address }) => {
        const [host = "", port = ""] = address.split(":");
        const found = await lookup(host).catch(() => undefined);
        return { shard, texts: [address, ...(found === undefined ? [] : [`${found.address}:${port}`])] };
      }),
    );
    const named = known.filter(({ texts }) => texts.some((each) => occurs(text, each)));
    const names = named.map(({ shard }) => `shard ${shard}`).filter((name) => !text.includes(`${name}:`));
    if (names.length === 0) return text;
    const prefix = `${names.join(", ")}: `;
    const json = '"error":"';
    return text.includes(json) ? text.replace(json, () => json + prefix) : prefix + text;
  }

  async #lookOnce(): Promise<void> {
    const startedAt = this.#now();
    const listed = await this.#listed();
    this.#at = startedAt;
    if (listed === undefined) {
      this.#reason = "the root does not tell which endpoints it has seen";
      return;
    }
    const missing = this.#deps.expected.filter(({ address }) => !listed.has(address));
    this.#reason =
      missing.length === 0
        ? undefined
        : `not seen since this root started: ${missing.map(({ shard, address }) => `shard ${shard} (${address})`).join(", ")}`;
  }

  /** Addresses that the root has seen; undefined when it does not tell. */
  async #listed(): Promise<ReadonlySet<string> | undefined> {
    const text = await this.#get("/api/v1/stores");
    if (text === undefined) return undefined;
    try {
      const { data } = JSON.parse(text) as { readonly data?: unknown };
      if (typeof data !== "object" || data === null) return undefined;
      const all = Object.values(data).flatMap((each: unknown) => (Array.isArray(each) ? (each as unknown[]) : []));
      const names = all.map((each) => (each as { readonly name?: unknown } | null)?.name);
      return new Set(
        names.flatMap((name) =>
          typeof name === "string" ? [name.startsWith(groupPrefix) ? name.slice(groupPrefix.length) : name] : [],
        ),
      );
    } catch {
      return undefined;
    }
  }

  #now(): number {
    return (this.#deps.now ?? (() => performance.now()))();
  }

  /** The text of a 200; undefined for any other answer, and for none. */
  #get(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const outgoing = request(this.#deps.upstream + path, { agent: false, timeout: answerTimeout }, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", () => resolve(undefined));
        incoming.on("end", () => resolve(incoming.statusCode === 200 ? text : undefined));
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${String(answerTimeout)} ms`)));
      outgoing.on("error", () => resolve(undefined));
      outgoing.end();
    });
  }
}

/** Whether an address stands in a text, and not as the beginning or the end of another one. */
function occurs(text: string, address: string): boolean {
  const at = text.indexOf(address);
  if (at < 0) return false;
  return !/[0-9]/.test(text[at + address.length] ?? "") && !/[a-z0-9.-]/.test(text[at - 1] ?? "");
}
