/** What a consumer says with each pull. */
export interface Report {
  /** Version that it runs with; empty before it has taken the first one. */
  readonly active: string;
  /** Version of which it could not take everything, and why. */
  readonly refused?: { readonly version: string; readonly reason: string };
}

interface Seen extends Report {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Who evaluates the rules, and with which version each of them runs. */
export class Consumers {
  readonly #seen = new Map<string, Seen>();
  readonly #waiting = new Set<() => void>();
  /** When a version was published last: content may go back to what it was. */
  readonly #order = new Map<string, number>();
  #published = 0;

  constructor(readonly names: readonly string[]) {}

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** A version that consumers can pull from now on. */
  publish(version: string): void {
    this.#published += 1;
    this.#order.set(version, this.#published);
  }

  report(name: string, report: Report, now = Date.now()): void {
    this.#seen.set(name, { ...report, at: now });
    for (const look of [...this.#waiting]) look();
  }

  /** 1 for consumers that run with a version, or a later one, else 0. */
  upToDate(version: string): Readonly<Record<string, number>> {
    return Object.fromEntries(this.names.map((name) => [name, this.#has(name, version) ? 1 : 0]));
  }

  /**
   * Waits until every consumer runs with a version or has refused it.
   * @returns one line per consumer that does not run with it; none when all do.
   */
  async settled(version: string, milliseconds: number): Promise<readonly string[]> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (this.names.every((name) => this.#has(name, version) || this.#refusal(name, version) !== undefined)) end();
      };
      const timer = setTimeout(end, milliseconds);
      this.#waiting.add(look);
      look();
    });
    return this.names.flatMap((name) => {
      if (this.#has(name, version)) return [];
      const refusal = this.#refusal(name, version);
      if (refusal !== undefined) return [`${name} refused the rules: ${refusal}`];
      const seen = this.#seen.get(name);
      if (seen === undefined) return [`${name} has never asked for the rules`];
      const ago = Math.round((Date.now() - seen.at) / 1000);
      return [`${name} has not taken the rules within ${String(milliseconds)} ms; it asked ${String(ago)} s ago`];
    });
  }

  #has(name: string, version: string): boolean {
    return this.#isAsNew(this.#seen.get(name)?.active, version);
  }

  #refusal(name: string, version: string): string | undefined {
    const refused = this.#seen.get(name)?.refused;
    return this.#isAsNew(refused?.version, version) ? refused?.reason : undefined;
  }

  #isAsNew(found: string | undefined, wanted: string): boolean {
    if (found === undefined) return false;
    return found === wanted || (this.#order.get(found) ?? -1) >= (this.#order.get(wanted) ?? Infinity);
  }
}
