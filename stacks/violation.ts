/** One thing that is wrong with the config. */
export interface Violation {
  /** Path below the namespace: `push.homeShard`. */
  readonly path: string;
  /** What was found there; undefined when the key is missing. */
  readonly value: unknown;
  readonly rule: string;
  readonly fix: string;
}
