/**
 * A signal that is aborted when one of others is, or when time is over. Unlike `AbortSignal.any` and `AbortSignal.timeout`
 * it leaves nothing behind when it is released: one of the others lives as long as a replica does.
 */
export class LinkedSignal {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** @param deadline Milliseconds since the epoch. */
  constructor(
    readonly sources: readonly AbortSignal[],
    deadline: number,
  ) {
    this.#timer = setTimeout(() => this.#controller.abort(new Error("no time left")), deadline - Date.now());
    for (const source of sources) {
      source.addEventListener("abort", this.#follow);
      if (source.aborted) this.#follow();
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** To be called when nobody listens any more. */
  release(): void {
    clearTimeout(this.#timer);
    for (const source of this.sources) source.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => {
    this.#controller.abort(this.sources.find((source) => source.aborted)?.reason);
  };
}
