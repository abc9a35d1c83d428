import { compareBatches, firstBatch, holesOf, toldUntil, type BatchWindows, type Gaps } from "./gaps";
import type { Interval } from "./route";

/** What replicas hold is compared in windows of three lengths: newest, recent and history. All times in milliseconds. */

/** What one question about push batches showed. */
export interface Look {
  readonly windows: BatchWindows;
  /** When it was asked. */
  readonly at: number;
  /** Windows that end from here to there were asked for. */
  readonly from: number;
  readonly to: number;
}

/** The last looks at one replica. */
export interface Looks {
  readonly newest: Look;
  readonly recent: Look;
  readonly history: Look;
}

export const notLooked: Look = { windows: new Map(), at: -Infinity, from: Infinity, to: -Infinity };

/** Lengths of the windows; those of the history are at least this long, and no more than `historyWindows`. */
export const newestWindow = 2_000;
export const recentWindow = 60_000;
const leastHistoryWindow = 300_000;
const historyWindows = 5_000;

/** How far back the looks reach. The newest must reach to where the recent windows are known: one more, and 15 s of age. */
export const newestSpan = (settle: number): number => settle + 120_000;
const leastRecentSpan = 3 * 3_600_000;
/** Milliseconds by which recent windows reach further back than the history begins, for as long as it takes to look again. */
const overlap = 1_800_000;

/** Looks that are this much older than the newest ones fail, and are not only due: what they should show is not known. */
const recentStale = 60_000;

/** What a comparison found. */
export interface Compared {
  readonly gaps: Gaps;
  /** Up to here both replicas have been looked at, and pushes have settled. */
  readonly settled: number;
  /** When the first push batch was stored; Infinity: there is none. */
  readonly first: number;
  /** Whether all is known of what a replica lacks of a time, as far as anything is known of what has not settled. */
  readonly isTold: (replica: 0 | 1, time: Interval) => boolean;
}

/** What is older than the newest windows, and up to when it was compared. */
interface Older extends Pick<Compared, "gaps" | "first"> {
  readonly until: number;
}

/** Compares what two replicas hold. */
export class Comparison {
  readonly historyWindow: number;
  /** How far back the recent windows reach, milliseconds: beyond the newest window of a history that is looked at now and then. */
  readonly recentSpan: number;
  /** What is older than the newest windows, kept until a look at it changes. */
  #older: { readonly key: string; readonly found: Older } | undefined;

  /**
   * @param retention How long replicas keep samples.
   * @param settle After this time a push is on both replicas, when both are well.
   */
  constructor(
    readonly retention: number,
    readonly settle: number,
  ) {
    this.historyWindow = Math.max(1, Math.ceil(retention / historyWindows / leastHistoryWindow)) * leastHistoryWindow;
    this.recentSpan = Math.max(leastRecentSpan, 4 * this.historyWindow + overlap);
  }

  /** Undefined before both have been looked at: neither is known to have a gap. */
  of(one: Looks, other: Looks): Compared | undefined {
    const settled = Math.min(one.recent.at, other.recent.at) - this.settle;
    if (settled === -Infinity) return undefined;
    const from = Math.max(one.newest.from, other.newest.from);
    const newest = [since(one.newest, from), since(other.newest, from)] as const;
    // In the newest windows each replica settles for itself: after the time given, or with a number that came later.
    const byTime = ({ at, to }: Look): number => Math.min(to, at - this.settle);
    const found = compareBatches(...newest, newestWindow, [byTime(one.newest), byTime(other.newest)]);
    const older = this.#findOlder(one, other, settled);
    const isJoined = older.until >= from - newestWindow;
    const comparedFrom = isJoined ? Math.max(one.recent.from, other.recent.from) : from;
    const told = [toldUntil(...newest, newestWindow), toldUntil(newest[1], newest[0], newestWindow)] as const;
    const unknown = [...unseen(one, other, older.until, from - newestWindow), ...forgotten(one, other)];
    return {
      gaps: [
        [...older.gaps[0], ...found[0], ...unknown],
        [...older.gaps[1], ...found[1], ...unknown],
      ],
      settled,
      isTold: (replica, time) =>
        comparedFrom <= time.from &&
        Math.min(one.newest.at, other.newest.at) >= time.to &&
        told[replica] >= time.to - this.settle,
      first: Math.min(older.first, firstBatch(newest, newestWindow)),
    };
  }

  /** What a replica lacks by its own account, while the other one has never been looked at. */
  alone({ newest, recent, history }: Looks): readonly Interval[] {
    const parts = [
      { window: newestWindow, windows: newest.windows },
      { window: recentWindow, windows: recent.windows },
      { window: this.historyWindow, windows: history.windows },
    ];
    return holesOf(parts, history.from, newest.at - this.settle);
  }

  #findOlder(one: Looks, other: Looks, settled: number): Older {
    const recentTo = this.#endOfRecent(one, other, settled);
    const looks = [one.recent.at, other.recent.at, one.history.at, other.history.at, recentTo];
    const key = looks.join();
    if (this.#older?.key === key) return this.#older.found;
    const parts = [
      { window: recentWindow, to: recentTo, of: [one.recent, other.recent] as const },
      { window: this.historyWindow, to: settled, of: [one.history, other.history] as const },
    ].map(({ window, to, of: [mine, theirs] }) => {
      // Only windows that both have been asked for; the first of them may begin before what is kept.
      const first = Math.max(mine.from, theirs.from) + window;
      const last = Math.min(to, mine.to, theirs.to);
      return { window, of: [since(mine, first, last), since(theirs, first, last)] as const };
    });
    const gaps = parts.map(({ window, of }) => compareBatches(...of, window));
    const found = {
      gaps: [gaps.flatMap((each) => each[0]), gaps.flatMap((each) => each[1])] as const,
      first: Math.min(...parts.map(({ window, of }) => firstBatch(of, window))),
      until: Math.min(recentTo, one.recent.to, other.recent.to),
    };
    this.#older = { key, found };
    return found;
  }

  /** Where the newest windows tell, the recent ones, which are looked at less often, need not. */
  #endOfRecent(one: Looks, other: Looks, settled: number): number {
    const looks = [one.newest, other.newest];
    const isCovered = looks.every(({ at, to }) => at - this.settle >= settled && to >= settled);
    const end = isCovered ? Math.min(settled, Math.max(...looks.map(({ from }) => from)) + recentWindow) : settled;
    return Math.floor(end / recentWindow) * recentWindow;
  }
}

/** Windows of a look that ended between two times. */
function since({ windows }: Look, from: number, to = Infinity): BatchWindows {
  return new Map(
    [...windows].map(
      ([key, series]) => [key, new Map([...series].filter(([end]) => end >= from && end <= to))] as const,
    ),
  );
}

/** The time between what was compared and the newest windows, where looks at it fail. */
function unseen(one: Looks, other: Looks, from: number, to: number): readonly Interval[] {
  const newest = Math.max(one.newest.at, other.newest.at);
  const isStale = newest - Math.min(one.recent.at, other.recent.at) > recentStale;
  return isStale && from < to && to < Infinity ? [{ from, to }] : [];
}

/** The time between the history and the recent windows, where looks at the history have failed for long. */
function forgotten(one: Looks, other: Looks): readonly Interval[] {
  const from = Math.min(one.history.to, other.history.to);
  const to = Math.max(one.recent.from, other.recent.from) + recentWindow;
  return from > -Infinity && from < to ? [{ from, to }] : [];
}
