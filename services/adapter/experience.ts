import { LeafNeeded, type Refusal } from "./answer";

/** What is remembered is about a text, and how large a range it was asked over, in seconds. */
interface Asked {
  readonly query: string;
  readonly start: number;
  readonly end: number;
}

/** What was seen of a query's text. */
interface Seen {
  /** Samples that Prometheus held at a time, per step. */
  peakPerStep?: number;
  /** Something that only the leaf could do, until when (milliseconds since the epoch), and from how many seconds on. */
  refusal?: { readonly reason: Refusal; readonly until: number; readonly span: number };
}

/** Queries that are remembered; dashboards and rules ask the same ones again and again. */
const remembered = 1_000;
/** Milliseconds after which Prometheus is tried again. */
const memory = 600_000;

/** Remembers what queries needed, so that the same one is not tried in vain again. */
export class Experience {
  readonly #seen = new Map<string, Seen>();

  constructor(readonly now: () => number = Date.now) {}

  answered(request: Asked, peakPerStep: number): void {
    this.#of(request).peakPerStep = peakPerStep;
  }

  refused(request: Asked, reason: Refusal): void {
    // That other answers were large at the time says nothing of this one.
    if (reason === "busy") return;
    // A shorter range may still fit.
    const span = reason === "too large" ? request.end - request.start : 0;
    this.#of(request).refusal = { reason, until: this.now() + memory, span };
  }

  /** Asks for it, and remembers that it was in vain. */
  async remembering(request: Asked, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (error instanceof LeafNeeded) this.refused(request, error.reason);
      throw error;
    }
  }

  peakPerStep(request: Asked): number | undefined {
    return this.#seen.get(request.query)?.peakPerStep;
  }

  reasonForLeaf(request: Asked): Refusal | undefined {
    const refusal = this.#seen.get(request.query)?.refusal;
    if (refusal === undefined || this.now() >= refusal.until) return undefined;
    return request.end - request.start >= refusal.span ? refusal.reason : undefined;
  }

  #of({ query }: Asked): Seen {
    const seen = this.#seen.get(query) ?? {};
    // A Map keeps the order of insertion: the first is the one that was not used for the longest time.
    this.#seen.delete(query);
    this.#seen.set(query, seen);
    if (this.#seen.size > remembered) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return seen;
  }
}
