import { setTimeout as sleep } from "node:timers/promises";

/** How long and how often a condition is asked for. */
export interface WaitOptions {
  readonly seconds: number;
  /** Milliseconds between two looks; default 250. */
  readonly everyMilliseconds?: number;
}

/**
 * Looks again and again until `look` gives something other than undefined or false. Errors of `look` count as "not yet"
 * and the last one is told when the time is over.
 */
export async function until<T>(
  what: string,
  options: WaitOptions,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + options.seconds * 1_000;
  let problem = "";
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      problem = "";
    } catch (error) {
      problem = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (Date.now() >= deadline) throw new Error(`waited ${String(options.seconds)} s in vain for ${what}${problem}`);
    await sleep(options.everyMilliseconds ?? 250);
  }
}
