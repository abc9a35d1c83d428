import { setTimeout as sleep } from "node:timers/promises";

/**
 * An open loop of queries: they are sent by the clock, whether earlier ones are answered or not, as people with dashboards
 * do. Each answer is judged; an error is tried once more.
 */

/** What is asked for: one gateway, a panel of a dashboard, the whole fleet. */
export type Kind = "gateway" | "panel" | "fleet";

/** Whom is asked: the frontend, or the root beside it, which no cache stands before. */
export type Way = "frontend" | "root";

/** What the query with this number asks for: of any 100 in a row 90 are about a gateway, 9 panels, 1 about the fleet. */
export function kindAt(index: number): Kind {
  const place = index % 100;
  if (place === 50) return "fleet";
  return place % 11 === 5 ? "panel" : "gateway";
}

/** Whom the query with this number asks: half of each kind go each way. */
export function wayAt(index: number): Way {
  return (index + Math.floor(index / 100)) % 2 === 0 ? "frontend" : "root";
}

/** One of some for a number; numbers at any distance from each other get different ones. @throws Error when there is none */
export function pick<T>(list: readonly T[], index: number): T {
  const picked = list[(Math.imul(index + 1, 0x9e3779b1) >>> 12) % list.length];
  if (picked === undefined) throw new Error("there is nothing to pick from");
  return picked;
}

/** What came of asking once. */
export type Verdict =
  | { readonly is: "right" }
  | { readonly is: "wrong"; readonly text: string }
  | { readonly is: "error"; readonly text: string };

/** What came of a query, its second try included. `text`: the first thing that was not right. */
export type Outcome = { readonly is: "right" } | { readonly is: "wrong" | "cured" | "uncured"; readonly text: string };

/** Asks; after an error once more, `pause` ms later. A wrong answer is wrong, whatever comes later. */
export async function withOneRetry(ask: () => Promise<Verdict>, pause: number): Promise<Outcome> {
  const first = await ask();
  if (first.is !== "error") return first;
  await sleep(pause);
  const second = await ask();
  if (second.is === "wrong") return second;
  if (second.is === "right") return { is: "cured", text: first.text };
  return { is: "uncured", text: `${first.text}; and again: ${second.text}` };
}

/** The smallest of the values that at least this share (0 to 1) of them do not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** How a load runs. */
export interface Pace {
  readonly perSecond: number;
  /** Queries under way at a time; what comes on top is not sent, and counted. */
  readonly inFlight: number;
  /** Nothing is sent after so many seconds. */
  readonly seconds: number;
  /** Milliseconds from an error to its second try. */
  readonly retryMilliseconds: number;
}

/** 20 queries a second, each tried again within a second. */
const usualPace: Pace = { perSecond: 20, inFlight: 300, seconds: 480, retryMilliseconds: 800 };

/** How many, and what the first few were. */
export interface Counted {
  readonly count: number;
  readonly first: readonly string[];
}

/** What a load came to. */
export interface LoadReport {
  readonly seconds: number;
  /** Queries that were sent. */
  readonly asked: number;
  readonly wrong: Counted;
  /** Errors that a second try did not cure. */
  readonly uncured: Counted;
  /** Errors that it did. */
  readonly cured: Counted;
  /** Queries that were not sent, because too many were under way or the time was over before `stop`. */
  readonly unsent: number;
  /** Milliseconds from when a query was due to its answer, second tries included. */
  readonly p50: number;
  readonly p99: number;
}

class Counter implements Counted {
  count = 0;
  readonly first: string[] = [];

  add(text: string): void {
    this.count += 1;
    if (this.first.length < 5) this.first.push(text);
  }
}

/** A load that runs until it is stopped. */
export class Load {
  private readonly startedAt = performance.now();
  private readonly found = { wrong: new Counter(), uncured: new Counter(), cured: new Counter() };
  private readonly latencies: number[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly firing: Promise<void>;
  private failure: { readonly error: unknown } | undefined;
  private asked = 0;
  private unsent = 0;

  private constructor(
    private readonly ask: (index: number) => Promise<Verdict>,
    private readonly pace: Pace,
  ) {
    this.firing = this.fire();
  }

  /** @param ask Asks the query with a number once. What it throws is no answer: `stop` throws it. */
  static start(ask: (index: number) => Promise<Verdict>, pace: Partial<Pace> = {}): Load {
    return new Load(ask, { ...usualPace, ...pace });
  }

  /** Sends nothing more, waits for what is under way, and tells. */
  async stop(): Promise<LoadReport> {
    this.stopping.abort();
    const milliseconds = performance.now() - this.startedAt;
    await this.firing;
    while (this.underWay.size > 0) await Promise.all(this.underWay);
    if (this.failure !== undefined) throw this.failure.error;
    const { perSecond, seconds } = this.pace;
    const afterItsTime = Math.max(0, Math.floor((milliseconds / 1_000 - seconds) * perSecond));
    return {
      ...this.found,
      seconds: milliseconds / 1_000,
      asked: this.asked,
      unsent: this.unsent + afterItsTime,
      p50: percentile(this.latencies, 0.5),
      p99: percentile(this.latencies, 0.99),
    };
  }

  private async fire(): Promise<void> {
    const { perSecond, seconds, inFlight } = this.pace;
    const { signal } = this.stopping;
    for (let index = 0; index < perSecond * seconds; index++) {
      const due = this.startedAt + (index * 1_000) / perSecond;
      const early = due - performance.now();
      if (early > 0) await sleep(early, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (this.underWay.size >= inFlight) {
        this.unsent += 1;
        continue;
      }
      this.asked += 1;
      const answered = this.one(index, due).finally(() => this.underWay.delete(answered));
      this.underWay.add(answered);
    }
  }

  private async one(index: number, due: number): Promise<void> {
    try {
      const outcome = await withOneRetry(() => this.ask(index), this.pace.retryMilliseconds);
      this.latencies.push(performance.now() - due);
      if (outcome.is === "right") return;
      const second = ((due - this.startedAt) / 1_000).toFixed(1);
      this.found[outcome.is].add(`after ${second} s: ${outcome.text}`);
    } catch (error) {
      this.failure ??= { error };
    }
  }
}

/** One line about a load. */
export function described(report: LoadReport): string {
  const { asked, seconds, wrong, uncured, cured, unsent, p50, p99 } = report;
  const counts = `${String(wrong.count)} wrong, ${String(uncured.count)} errors not cured, ${String(cured.count)} cured`;
  const times = `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`;
  return `${String(asked)} queries in ${seconds.toFixed(0)} s: ${counts}, ${String(unsent)} not sent; ${times}`;
}
