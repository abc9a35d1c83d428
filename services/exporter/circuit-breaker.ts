/** Failed pushes in a row after which a hub is left alone for a while. */
const failuresToOpen = 2;
/** First pause before a hub is asked again, in milliseconds; doubles with each failed probe. */
const firstPause = 500;
const longestPause = 15_000;

/** What the breaker needs from its surroundings; tests put their own in. */
export interface BreakerDeps {
  /** Asks the hub whether it is there. */
  readonly probe: () => Promise<boolean>;
  /** 0 <= x < 1. */
  readonly random?: () => number;
  readonly onChange?: (open: boolean) => void;
}

/**
 * Keeps pushes from waiting for a hub that is known to be down. After `failuresToOpen` failures in a row it opens; then
 * the hub is probed (half open) after pauses that double up to `longestPause` and are spread by half, so that exporters
 * do not ask in step. The first probe that succeeds closes it.
 */
export class CircuitBreaker {
  readonly #deps: BreakerDeps;
  #failures = 0;
  #open = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: BreakerDeps) {
    this.#deps = deps;
  }

  /** Whether the hub should be left alone. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** A push got through, or was answered in a way that shows the hub alive. */
  succeeded(): void {
    this.#failures = 0;
    if (this.#open) this.#close();
  }

  /** A push failed. `weight` 2 for a time-out: each costs the client a whole timeout. */
  failed(weight: 1 | 2 = 1): void {
    this.#failures += weight;
    if (this.#open || this.#failures < failuresToOpen) return;
    this.#open = true;
    this.#deps.onChange?.(true);
    this.#schedule(firstPause);
  }

  /** Ends the probing. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #close(): void {
    this.#open = false;
    clearTimeout(this.#timer);
    this.#deps.onChange?.(false);
  }

  #schedule(pause: number): void {
    if (this.#stopped) return;
    const random = this.#deps.random ?? Math.random;
    this.#timer = setTimeout(() => void this.#halfOpen(pause), pause * (0.75 + random() / 2));
    this.#timer.unref();
  }

  async #halfOpen(pause: number): Promise<void> {
    const alive = await this.#deps.probe();
    if (!this.#open) return;
    if (alive) this.succeeded();
    else this.#schedule(Math.min(pause * 2, longestPause));
  }
}
