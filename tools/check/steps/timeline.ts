/** What one gateway's series come to at any evaluation step, by the ledger alone. */

import type { Gateway } from "../../feed/fleet";
import { valueAt } from "../../feed/values";
import { sum } from "../promql-math";
import type { Stored, StoredPush } from "../stored";
import type { Expected, State } from "./judge";

/** Nothing is visible. */
const NOTHING: State = { count: 0, sum: 0, magnitude: 0 };

interface Computed {
  readonly state: State;
  /** Timestamp (ms) of the oldest sample that is visible: once that leaves the lookback the state is another. */
  readonly oldest: number;
}

/** One gateway's pushes in order, and what an instant query sees of them. */
export class Timeline {
  private readonly pushes: readonly StoredPush[];
  private readonly computed = new Map<number, Computed>();

  /**
   * @param settledBefore Acknowledged after this (ms of the wall clock) = not yet certainly readable.
   * @param lookback Milliseconds.
   */
  constructor(
    private readonly stored: Stored,
    private readonly gateway: Gateway,
    settledBefore: number,
    private readonly lookback: number,
  ) {
    this.pushes = stored.pushesOf(gateway, -Infinity, Infinity, settledBefore);
  }

  /**
   * What may be seen at `at` (ms). More than one state when the newest pushes were not acknowledged; undefined when
   * nobody can tell, because such a push may have held series that no later push holds.
   */
  expectedAt(at: number): Expected | undefined {
    const start = at - this.lookback;
    const newest = this.newestAt(at);
    const stored = this.newestStored(newest);
    const maybes = this.indexes(stored + 1, newest);
    const anyMaybe = this.indexes(0, newest).some((index) => this.isMaybe(index) && this.timeOf(index) > start);
    if (anyMaybe && this.stored.fleet.options.churn > 0) return undefined;
    const before = this.newestStored(stored - 1);
    return {
      states: [stored, ...maybes].map((index) => this.stateAt(index, at)),
      ...(before < 0 ? {} : { previous: this.stateAt(before, at) }),
      ...(newest < 0 ? {} : { lastPush: this.timeOf(newest) }),
    };
  }

  private indexes(from: number, to: number): readonly number[] {
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  }

  private timeOf(index: number): number {
    return this.pushes[index]?.timestamp ?? -Infinity;
  }

  private isMaybe(index: number): boolean {
    return this.pushes[index]?.state === "maybe";
  }

  /** Index of the newest push that is not later than `at`; -1 without any. */
  private newestAt(at: number): number {
    return this.pushes.findLastIndex(({ timestamp }) => timestamp <= at);
  }

  private newestStored(from: number): number {
    for (let index = from; index >= 0; index--) if (!this.isMaybe(index)) return index;
    return -1;
  }

  /** What is visible at `at` when push number `index` is the newest that is stored. */
  private stateAt(index: number, at: number): State {
    const newest = this.pushes[index];
    const start = at - this.lookback;
    if (newest === undefined || newest.timestamp <= start) return NOTHING;
    const known = this.computed.get(index);
    if (known !== undefined && known.oldest > start) return known.state;
    // Without churn a push that was taken whole hides everything before it.
    const whole = this.stored.fleet.options.churn === 0 && newest.rejectedLines.size === 0;
    const visible = whole
      ? [newest]
      : this.pushes
          .slice(0, index + 1)
          .filter((push) => push.timestamp > start && (push === newest || push.state === "stored"));
    const latest = [...this.stored.latestOf(this.gateway, visible).values()];
    const values = latest.map(({ series, timestamp }) => valueAt(series, timestamp));
    const state = { count: values.length, sum: sum(values), magnitude: sum(values.map(Math.abs)) };
    const oldest = latest.reduce((least, { timestamp }) => Math.min(least, timestamp), Infinity);
    this.computed.set(index, { state, oldest });
    return state;
  }
}
