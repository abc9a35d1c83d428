/**
 * Which evaluation steps are wrong: a pure decision. A step may differ from the ledger within one scrape interval after
 * a push, and only for so long: what lasts longer, or stands anywhere else, is wrong.
 */

/** What the series of one gateway come to. */
export interface State {
  readonly count: number;
  readonly sum: number;
  /** Sum of the absolute values: rounding is judged against it. */
  readonly magnitude: number;
}

/** What the ledger says of one gateway at a step. */
export interface Expected {
  /** Each is right: more than one while pushes may or may not be stored. At least one. */
  readonly states: readonly State[];
  /** What was visible before the newest push; absent before the second one. */
  readonly previous?: State;
  /** Timestamp (ms) of the newest push that was sent; absent before the first. */
  readonly lastPush?: number;
}

/** What was answered for one gateway at a step. */
export interface Answered {
  readonly count: number;
  readonly sum: number;
  /** Shards that have series of it, sorted. */
  readonly shards: readonly string[];
}

/** One gateway at one step. */
export interface Step {
  /** Time of the evaluation, ms. */
  readonly at: number;
  readonly expected: Expected;
  readonly answered: Answered;
}

/**
 * missing: series, or their newest samples, are not there. double: series are there twice. invented: nobody pushed such a
 * series. value: as many series as there should be, with values of no push. total: the sum over all is not that of its parts.
 */
export type Cause = "missing" | "double" | "invented" | "value" | "total";

/** Steps in a row at which one gateway's answer differs. */
export interface Difference {
  /** Value of `gatewayID`; undefined for all together. */
  readonly gateway?: string;
  /** First and last step, ms. */
  readonly from: number;
  readonly to: number;
  /** Every step of it, ms. */
  readonly steps: readonly number[];
  /** Of the first step, as are the numbers. */
  readonly cause: Cause;
  readonly expected: { readonly count: number; readonly sum: number };
  readonly answered: Answered;
  /** It ended within one scrape interval, and every step of it is within one after a push. */
  readonly tolerated: boolean;
}

/** What is allowed. */
export interface JudgeOptions {
  /** The scrape interval, ms. */
  readonly interval: number;
  /** Largest difference of a sum, relative to the sum of the magnitudes. */
  readonly tolerance: number;
}

function isState(answered: Answered, state: State, tolerance: number): boolean {
  if (answered.count !== state.count) return false;
  return Math.abs(answered.sum - state.sum) <= tolerance * state.magnitude;
}

/** Why a step differs; undefined when it does not. */
export function causeOf({ expected, answered }: Step, tolerance: number): Cause | undefined {
  if (expected.states.some((state) => isState(answered, state, tolerance))) return undefined;
  const counts = expected.states.map(({ count }) => count);
  if (answered.count > Math.max(...counts)) return Math.max(...counts) === 0 ? "invented" : "double";
  if (answered.count < Math.min(...counts)) return "missing";
  const isOlder = expected.previous !== undefined && isState(answered, expected.previous, tolerance);
  if (isOlder) return "missing";
  return answered.shards.length > 1 ? "double" : "value";
}

function isSoonAfterPush({ at, expected }: Step, interval: number): boolean {
  return expected.lastPush !== undefined && at >= expected.lastPush && at - expected.lastPush < interval;
}

/** The differences of one gateway over ascending steps. */
export function judgeGateway(
  gateway: string,
  steps: readonly Step[],
  { interval, tolerance }: JudgeOptions,
): readonly Difference[] {
  const differences: Difference[] = [];
  let run: Step[] = [];
  const finish = (): void => {
    const [first] = run;
    const last = run.at(-1);
    if (first === undefined || last === undefined) return;
    const [state] = first.expected.states;
    differences.push({
      gateway,
      from: first.at,
      to: last.at,
      steps: run.map(({ at }) => at),
      cause: causeOf(first, tolerance) ?? "value",
      expected: { count: state?.count ?? 0, sum: state?.sum ?? 0 },
      answered: first.answered,
      tolerated: last.at - first.at < interval && run.every((step) => isSoonAfterPush(step, interval)),
    });
    run = [];
  };
  for (const step of steps) {
    if (causeOf(step, tolerance) === undefined) finish();
    else run.push(step);
  }
  finish();
  return differences;
}

/** The root's own total at a step, and what the gateways' answers at that step add up to. */
export interface TotalStep {
  readonly at: number;
  readonly total: { readonly count: number; readonly sum: number };
  readonly parts: State;
}

/** Steps at which the sum or count over all is not what its parts come to. */
export function judgeTotals(steps: readonly TotalStep[], tolerance: number): readonly Difference[] {
  return steps.flatMap(({ at, total, parts }) => {
    const answered = { ...total, shards: [] };
    if (isState(answered, parts, tolerance)) return [];
    const { count, sum } = parts;
    return [
      { from: at, to: at, steps: [at], cause: "total", expected: { count, sum }, answered, tolerated: false } as const,
    ];
  });
}
