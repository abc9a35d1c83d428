import type { AdapterConfig } from "../../model/adapter-config";
import type { Look } from "./comparison";
import { batchQuery } from "./gaps";
import { ask, page, ReplicaFailure, type Form } from "./prometheus-client";
import { decodeSeries } from "./time-series";

/** What a replica's own pages say of its disk. */
export interface Facts {
  /** Oldest sample, milliseconds since the epoch; undefined: the page does not say. */
  readonly lowest: number | undefined;
  readonly blocks: number | undefined;
  /** Active series. */
  readonly series: number | undefined;
}

/** Milliseconds for a question about the replica itself. */
const patience = 10_000;
/** Milliseconds for a readiness probe. */
const probePatience = 5_000;

/** Questions about one replica's Prometheus; all throw ReplicaFailure or QueryFailure. */
export class ReplicaProbe {
  constructor(
    readonly url: string,
    readonly config: AdapterConfig,
  ) {}

  /** Resolves when it is ready: it has replayed its WAL and answers queries. */
  async ready(): Promise<void> {
    await page(this.url, "/-/ready", { signal: AbortSignal.timeout(probePatience), firstByte: probePatience });
  }

  async facts(): Promise<Facts> {
    const text = await page(this.url, "/metrics", this.#options());
    const gauge = (name: string): number | undefined => {
      const match = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text);
      const value = Number(match?.[1]);
      return match === null || !Number.isFinite(value) ? undefined : value;
    };
    const lowest = gauge("prometheus_tsdb_lowest_timestamp_seconds");
    return {
      lowest: lowest === undefined ? undefined : lowest * 1000,
      blocks: gauge("prometheus_tsdb_blocks_loaded"),
      series: gauge("prometheus_tsdb_head_series"),
    };
  }

  /**
   * From when on every series carries `cluster` and `shard`: its index is asked for one that does not, over the whole
   * retention, and if there is one over ever shorter times until now.
   * @returns Milliseconds since the epoch; -Infinity: always.
   */
  async labelledFrom(now: number): Promise<number> {
    if (!(await this.#hasUnlabelled(now - this.config.retentionSeconds * 1000 - 86_400_000, now))) return -Infinity;
    let from = now;
    for (let span = 3_600_000; span < this.config.retentionSeconds * 1000; span *= 4) {
      if (await this.#hasUnlabelled(now - span, now)) break;
      from = now - span;
    }
    return from;
  }

  /**
   * What is known of the push batches between two times, in windows of some length.
   * @param now When it is asked. All in milliseconds.
   */
  async batches(now: number, from: number, to: number, window: number): Promise<Look> {
    const aligned = (time: number) => Math.floor(time / window) * window;
    const look = { at: now, from: aligned(from), to: aligned(to) };
    const windows = new Map<string, Map<number, number>>();
    const form: Form = {
      query: batchQuery(this.config.cluster, this.config.shard, window / 1000),
      start: String(look.from / 1000),
      end: String(look.to / 1000),
      step: String(window / 1000),
    };
    await ask(this.url, "/api/v1/query_range", form, this.#options(), (content) => {
      const { labels, samples } = decodeSeries(content);
      const { fact = "", ...others } = labels;
      windows.set(`${fact}|${JSON.stringify(others)}`, new Map(samples));
    });
    return { ...look, windows };
  }

  async #hasUnlabelled(from: number, to: number): Promise<boolean> {
    const quoted = (text: string) => JSON.stringify(text);
    const query = new URLSearchParams({ start: String(from / 1000), end: String(to / 1000), limit: "1" });
    query.append("match[]", `{__name__!="",shard!=${quoted(this.config.shard)}}`);
    query.append("match[]", `{__name__!="",cluster!=${quoted(this.config.cluster)}}`);
    const text = await page(this.url, `/api/v1/label/__name__/values?${query.toString()}`, this.#options());
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null && "data" in answer && Array.isArray(answer.data)) {
      return answer.data.length > 0;
    }
    throw new ReplicaFailure("unreadable answer about label values");
  }

  #options() {
    return { signal: AbortSignal.timeout(patience), firstByte: patience };
  }
}
