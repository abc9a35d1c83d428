import { request } from "node:http";
import { log, messageOf } from "../plumbing/log";
import type { SyncMetrics } from "./sync-metrics";

/** Longest text of a refusal that is logged. */
const longestReason = 2_000;

/** What a reloader works with. */
export interface ReloaderDeps {
  /** Hash of what is watched; throws when it can't be read. */
  readonly content: () => string;
  /** Asks the program to read its files again; throws with its reason when it refuses. */
  readonly reload: () => Promise<void>;
  readonly metrics: SyncMetrics;
}

/** Makes a program read its files again when they have changed, and again until it accepts them. */
export class Reloader {
  /** Hash of what the program runs with; undefined before the first reload, because it may have started with older files. */
  #active: string | undefined;

  constructor(readonly deps: ReloaderDeps) {}

  /** Looks once. Returns whether the program runs with what is on disk. */
  async check(): Promise<boolean> {
    const { content, reload, metrics } = this.deps;
    try {
      const found = content();
      if (found === this.#active) return true;
      await reload();
      // What changed during the reload is found at the next look.
      this.#active = found;
      metrics.succeeded();
      log("info", "reloaded", { content: found });
      return true;
    } catch (error) {
      metrics.failed();
      log("warn", "not reloaded", { error: messageOf(error) });
      return false;
    }
  }
}

/** `POST url`; resolves on 200, throws with status and text on anything else. */
export function postReload(url: string, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", agent: false, timeout, headers: { "content-length": 0 } });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${String(timeout)} ms`)));
    outgoing.on("error", (error) => reject(new Error(`POST ${url}: ${messageOf(error)}`)));
    outgoing.on("response", (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        if (text.length < longestReason) text += chunk;
      });
      incoming.on("error", reject);
      incoming.on("end", () => {
        if (incoming.statusCode === 200) resolve();
        else reject(new Error(`POST ${url}: ${String(incoming.statusCode)}: ${text.slice(0, longestReason).trim()}`));
      });
    });
    outgoing.end();
  });
}
