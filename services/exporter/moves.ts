/**
 * Which shards a key has been on. A series that went to another shard stays visible on the one it left for a lookback
 * after its last sample there, unless it is ended; this tells where that is needed.
 */

/** Knows on which other shards a key may still be visible. */
export interface Moves {
  /**
   * Positions of the other shards that held the key at some time from a lookback before `time` to `now`; a retired
   * shard's comes after those of the ring (`markedShards`).
   * @param key Value of the shard label, unescaped; empty for the series without one.
   * @param owner Position of the shard that took the key now.
   * @param time Milliseconds since the epoch: now, or the timestamp of a sample that is late.
   * @param now Milliseconds since the epoch.
   */
  holders(key: string, owner: number, time: number, now: number): readonly number[];
}

/** Timestamps of the samples of a key in one push, milliseconds since the epoch. */
export interface Span {
  oldest: number;
  newest: number;
}

/** A shard's time with a key. */
interface Stay {
  readonly position: number;
  /** First and last timestamp that the shard took for certain; nothing is between Infinity and -Infinity. */
  since: number;
  newest: number;
  /** Milliseconds since the epoch: from then on nothing of it is visible any more. */
  until: number;
}

interface Seen {
  /** Position of the shard that took the key last; -1 before. */
  last: number;
  stays: readonly Stay[];
}

const nowhere: readonly number[] = [];

/** Stays that are remembered of one key. */
const maxStays = 32;

/** Keys that are remembered: more than any fleet has, few enough for tens of megabytes. */
const maxKeys = 200_000;

/** What this exporter itself has placed. */
export class SeenMoves implements Moves {
  readonly #lookback: number;
  readonly #keep: number;
  readonly #limit: number;
  readonly #keys = new Map<string, Seen>();

  /**
   * @param lookback Milliseconds.
   * @param keep How old a sample may be that comes late, milliseconds.
   * @param limit Keys that are remembered; the oldest are forgotten first.
   */
  constructor(lookback: number, keep: number, limit = maxKeys) {
    this.#lookback = lookback;
    this.#keep = keep;
    this.#limit = limit;
  }

  holders(key: string, owner: number, time: number): readonly number[] {
    const seen = this.#keys.get(key);
    // Nearly always: a key that is where it has been.
    if (seen === undefined || (seen.stays.length === 1 && seen.last === owner)) return nowhere;
    const others = seen.stays.filter(({ position, until }) => position !== owner && until > time);
    return others.length === 0 ? nowhere : [...new Set(others.map(({ position }) => position))];
  }

  /** Whether the shard has samples of the key from both before and after `timestamp`: there it is not the newest. */
  covers(key: string, position: number, timestamp: number): boolean {
    const stays = this.#keys.get(key)?.stays ?? [];
    return stays.some((each) => each.position === position && each.since <= timestamp && timestamp <= each.newest);
  }

  /** When, after `timestamp`, the key first was on another shard; undefined when it was not. */
  nextElsewhere(key: string, position: number, timestamp: number): number | undefined {
    const stays = this.#keys.get(key)?.stays ?? [];
    const later = stays.filter(
      (each) => each.position !== position && each.since > timestamp && each.since <= each.newest,
    );
    return later.length === 0 ? undefined : Math.min(...later.map(({ since }) => since));
  }

  /** The shard has taken samples of the key. */
  placed(key: string, position: number, { oldest, newest }: Span, now: number): void {
    const seen = this.#get(key);
    const until = Math.max(now, newest) + this.#lookback;
    const stay = seen.stays.at(-1);
    const goesOn = stay?.position === position && seen.last === position && oldest <= stay.newest + this.#lookback;
    if (goesOn) {
      // Nothing of its own so far: what it took was late.
      const isEmpty = stay.since > stay.newest;
      if (isEmpty) stay.since = beginning(seen.stays, stay, { oldest, newest });
      else if (beginning(seen.stays, stay, { oldest, newest: stay.since }) === oldest) {
        stay.since = Math.min(stay.since, oldest);
      } else if (oldest < stay.since) {
        // From before the others' time.
        const since = beginning(seen.stays, stay, { oldest, newest: oldest });
        seen.stays = [{ position, since, newest: oldest, until }, ...seen.stays].slice(-maxStays);
      }
      stay.newest = Math.max(stay.newest, newest);
      stay.until = Math.max(stay.until, until);
      if (seen.stays.length > 1)
        seen.stays = seen.stays.filter((each) => each === stay || each.until + this.#keep > now);
      return;
    }
    const since = beginning(seen.stays, undefined, { oldest, newest });
    const isLate = seen.stays.some((each) => each.newest > newest);
    const kept = seen.stays.filter((each) => each.until + this.#keep > now).slice(-maxStays + 1);
    const added = { position, since, newest, until };
    seen.stays = isLate ? [added, ...kept] : [...kept, added];
    if (!isLate) seen.last = position;
  }

  /** The shard did not say whether it took samples of the key: they may be there. */
  maybePlaced(key: string, position: number, { newest }: Span, now: number): void {
    const seen = this.#get(key);
    const until = Math.max(now, newest) + this.#lookback;
    const stay = seen.stays.findLast((each) => each.position === position);
    if (stay !== undefined) stay.until = Math.max(stay.until, until);
    else seen.stays = [{ position, since: Infinity, newest: -Infinity, until }, ...seen.stays];
  }

  #get(key: string): Seen {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#keys.size >= this.#limit) {
      const [oldest] = this.#keys.keys();
      if (oldest !== undefined) this.#keys.delete(oldest);
    }
    const seen: Seen = { last: -1, stays: [] };
    this.#keys.set(key, seen);
    return seen;
  }
}

/** A stay begins where earlier ones end: what is older than their newest sample is late, and theirs. */
function beginning(stays: readonly Stay[], own: Stay | undefined, { oldest, newest }: Span): number {
  return stays.reduce(
    (latest, each) => (each === own || each.since > newest ? latest : Math.max(latest, each.newest + 1)),
    oldest,
  );
}

/** What any of them knows. */
export function combineMoves(...all: readonly Moves[]): Moves {
  return {
    holders: (key, owner, time, now) => {
      const found = all.map((moves) => moves.holders(key, owner, time, now)).filter((each) => each.length > 0);
      return found.length === 0 ? nowhere : [...new Set(found.flat())];
    },
  };
}
