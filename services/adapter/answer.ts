import { valueOf, type Point, type Series } from "./answer-scanner";
import { encodeLabels, encodeSeries, encodeStats, encodeWarning } from "./messages";
import { encodeSamples } from "../plumbing/protobuf";

/** Prometheus' answer is not one that can be passed on: the leaf has to give it. */
export class LeafNeeded extends Error {
  constructor(readonly reason: "native histograms" | "too large" | "not PromQL of Prometheus") {
    super(reason);
  }
}

/** Bytes of answers that are being put together, of all queries of this process. */
export class Budget {
  #used = 0;

  /** @param limit Bytes in all. */
  constructor(readonly limit: number) {}

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.limit) return false;
    this.#used += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}

/** Largest answer in bytes, encoded: what is larger is for the leaf, which can stream. */
const answerLimit = 32 * 1024 * 1024;

interface Encoded {
  readonly labels: Buffer;
  readonly samples: Buffer[];
}

/**
 * The answer to one query, put together from parts that follow each other in time, and sent when all are there: until
 * then another replica or the leaf can still give it.
 */
export class Answer {
  readonly #series = new Map<string, Encoded>();
  readonly #warnings = new Set<string>();
  #bytes = 0;
  samples = 0;
  peak = 0;
  infos = 0;

  constructor(readonly budget: Budget) {}

  /** @throws LeafNeeded */
  add(series: Series): void {
    if (series.histogram !== undefined || series.histograms !== undefined) throw new LeafNeeded("native histograms");
    const points = series.values ?? (series.value === undefined ? [] : [series.value]);
    this.addPoints(series.metric, points);
  }

  /** @throws LeafNeeded */
  addPoints(metric: Readonly<Record<string, string>>, points: readonly Point[]): void {
    const samples = encodeSamples(points.length, (at) => {
      const [time, value] = points[at] ?? [0, "NaN"];
      return [Math.round(time * 1000), valueOf(value)];
    });
    const labels = encodeLabels(metric);
    const size = samples.length + labels.length;
    if (this.#bytes + size > answerLimit || !this.budget.take(size)) throw new LeafNeeded("too large");
    this.#bytes += size;
    const key = labels.toString("latin1");
    const known = this.#series.get(key);
    // Repeated fields are joined by writing one after the other.
    if (known === undefined) this.#series.set(key, { labels, samples: [samples] });
    else known.samples.push(samples);
  }

  warn(warnings: readonly string[]): void {
    for (const warning of warnings) this.#warnings.add(warning);
  }

  /** Messages of the answer, as a leaf sends them. */
  *messages(batchSize: number): Generator<Buffer> {
    for (const warning of this.#warnings) yield encodeWarning(warning);
    yield* encodeSeries(this.#encoded(), batchSize);
    yield encodeStats(this.samples, this.peak);
  }

  /** To be called when the answer has been sent or given up. */
  release(): void {
    this.budget.giveBack(this.#bytes);
    this.#bytes = 0;
    this.#series.clear();
  }

  *#encoded(): Generator<Buffer> {
    for (const { labels, samples } of this.#series.values()) yield Buffer.concat([labels, ...samples]);
  }
}
