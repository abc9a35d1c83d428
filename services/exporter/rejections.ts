/** Why a sample is refused by itself, while the rest of its push is stored; also the label of the metric that counts it. */
export type RejectionKind = "future" | "old" | "conflict" | "hub";

/** A sample that is not stored. */
export interface Rejection {
  /** Line of the body, counted from 1. */
  readonly line: number;
  readonly reason: string;
}

/** Samples that an answer lists, about 100 kB of JSON: a body may hold millions that are refused. */
export const listedRejections = 1_000;

/** The refused samples of one push: the first by line, and the number of all. */
export class Rejections {
  readonly #counts = new Map<RejectionKind, number>();
  #total = 0;
  #listed: Rejection[] = [];

  /** Refused samples, listed or not. */
  get total(): number {
    return this.#total;
  }

  /** Refused samples by kind. */
  get counts(): ReadonlyMap<RejectionKind, number> {
    return this.#counts;
  }

  /** The first ones, at most `listedRejections`, in the order of their lines. */
  get listed(): readonly Rejection[] {
    return this.#listed;
  }

  /** Samples beyond those that are listed. */
  get more(): number {
    return this.#total - this.#listed.length;
  }

  /** Adds a sample whose line comes after all that are here; `reason` is made only if it is listed. */
  add(kind: RejectionKind, line: number, reason: () => string): void {
    this.#count(kind, 1);
    if (this.#listed.length < listedRejections) this.#listed.push({ line, reason: reason() });
  }

  /** Adds other samples of the same push, whatever their lines. */
  merge(other: Rejections): void {
    if (other.#total === 0) return;
    for (const [kind, samples] of other.#counts) this.#count(kind, samples);
    this.#listed = [...this.#listed, ...other.#listed]
      .sort((left, right) => left.line - right.line)
      .slice(0, listedRejections);
  }

  #count(kind: RejectionKind, samples: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + samples);
    this.#total += samples;
  }
}
