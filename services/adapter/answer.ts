import type { Budget } from "../plumbing/budget";
import { encodeStats, encodeWarning } from "./messages";
import { encodeSeries } from "./time-series";

/** What only turns out when Prometheus answers. */
export type Refusal =
  "native histograms" | "too large" | "truncated" | "busy" | "not PromQL of Prometheus" | "other replica labels";

/** Prometheus' answer is not one that can be passed on: the leaf has to give it. */
export class LeafNeeded extends Error {
  constructor(readonly reason: Refusal) {
    super(reason);
  }
}

/** Largest answer in bytes, encoded: what is larger is for the leaf, which can stream. */
const answerLimit = 32 * 1024 * 1024;

/** What one answer takes of the budget. */
export class Share {
  #bytes = 0;

  constructor(readonly budget: Budget) {}

  /** @throws LeafNeeded when that is too much, for one answer or for all. */
  take(bytes: number): void {
    if (this.#bytes + bytes > answerLimit) throw new LeafNeeded("too large");
    if (!this.budget.take(bytes)) throw new LeafNeeded("busy");
    this.#bytes += bytes;
  }

  release(): void {
    this.budget.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}

/**
 * The answer to one query, put together from parts that follow each other in time, and sent when all are there: until
 * then another replica or the leaf can still give it.
 */
export class Answer {
  /** By their labels: the content of a `TimeSeries`, and samples of later parts. */
  readonly #series = new Map<string, Buffer[]>();
  readonly #warnings = new Set<string>();
  readonly #share: Share;
  samples = 0;
  peak = 0;
  infos = 0;

  constructor(budget: Budget) {
    this.#share = new Share(budget);
  }

  /**
   * @param content Of a `TimeSeries`, with labels up to `labelsEnd` and samples behind.
   * @throws LeafNeeded
   */
  add(content: Buffer, labelsEnd: number): void {
    this.#share.take(content.length);
    const key = content.toString("latin1", 0, labelsEnd);
    const known = this.#series.get(key);
    // Repeated fields are joined by writing one after the other.
    if (known === undefined) this.#series.set(key, [content]);
    else known.push(content.subarray(labelsEnd));
  }

  warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#warnings.add(warning);
  }

  /** Messages of the answer, as a leaf sends them. */
  *messages(batchSize: number): Generator<Buffer> {
    for (const warning of this.#warnings) yield encodeWarning(warning);
    yield* encodeSeries(this.#series.values(), batchSize);
    yield encodeStats(this.samples, this.peak);
  }

  /** To be called when the answer has been sent or given up. */
  release(): void {
    this.#share.release();
    this.#series.clear();
  }
}
