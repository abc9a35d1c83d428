import { combineMoves, type Moves, type SeenMoves, type Span } from "./moves";
import type { Route, Router } from "./route";
import type { Samples } from "./samples";

/** Ends series on a shard. Takes its time, but not the caller's. */
export interface SeriesEnder {
  /**
   * @param position Of the shard in the ring; after those the retired shards (`markedShards`).
   * @param lines `series timestamp\n` each, one character per byte.
   */
  end(position: number, lines: readonly string[]): void;
}

/** A key's samples in one push, and where they did not go. */
export interface Placing extends Span {
  /**
   * Positions of the shards that come first for the key and went down within the last lookback. Another exporter may have
   * stored it there a moment ago, whatever this one has seen itself. Default: none.
   */
  readonly left?: readonly number[];
}

/** What the marking works with. */
export interface MarkingDeps {
  readonly router: Router;
  readonly seen: SeenMoves;
  /** What else is known of moves; default: nothing. */
  readonly others?: readonly Moves[];
  readonly ender: SeriesEnder;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Sees to it that a series counts on one shard only. A sample of a key that was on another shard within the last
 * lookback ends its series there, at its own timestamp: until then the old shard counts, from then on the new one. A
 * late sample, older than what the other shard has, must not: there the series goes on, so it ends where it came to.
 *
 * A key's samples are taken together: of two series whose timestamps differ by more than the time between two pushes, one
 * may show its value from before a move for that long. It counts once all the same.
 */
export class Marking {
  readonly #deps: MarkingDeps;
  readonly #moves: Moves;

  constructor(deps: MarkingDeps) {
    this.#deps = deps;
    this.#moves = combineMoves(deps.seen, ...(deps.others ?? []));
  }

  /** The shard at `position` has taken the samples `members`, whose keys and timestamps are `spans`. */
  stored(samples: Samples, members: Uint32Array, spans: ReadonlyMap<Route, Placing>, position: number): void {
    const { seen, now } = this.#deps;
    const time = now();
    // By key: while the push was under way the router may have started anew, with other routes for the same keys.
    const moved = new Map<string, readonly number[]>();
    for (const [route, span] of spans) {
      const known = this.#moves.holders(route.key, position, Math.min(time, span.oldest), time);
      const { left = [] } = span;
      const holders = left.length === 0 ? known : [...new Set([...known, ...left])];
      if (holders.length > 0) moved.set(route.key, holders);
      seen.placed(route.key, position, span, time);
    }
    if (moved.size === 0) return;
    // The client need not wait for it. What `covers` says of other shards may only grow meanwhile.
    setImmediate(() => this.#end(samples, members, moved, position));
  }

  /** The shard at `position` may have taken them. */
  maybeStored(spans: ReadonlyMap<Route, Span>, position: number): void {
    const { seen, now } = this.#deps;
    const time = now();
    for (const [route, span] of spans) seen.maybePlaced(route.key, position, span, time);
  }

  #end(samples: Samples, members: Uint32Array, moved: ReadonlyMap<string, readonly number[]>, position: number): void {
    const { router, seen, ender } = this.#deps;
    const lines = new Map<number, string[]>();
    const add = (shard: number, series: string, timestamp: number): void => {
      const list = lines.get(shard) ?? [];
      lines.set(shard, list);
      list.push(`${series} ${String(timestamp)}\n`);
    };
    for (const at of members) {
      const route = router.routeOf(samples, at);
      const holders = moved.get(route.key);
      if (holders === undefined) continue;
      const timestamp = samples.timestamp[at] ?? 0;
      const series = samples.text.toString("latin1", samples.start[at], samples.seriesEnd[at]);
      const going = holders.filter((holder) => !seen.covers(route.key, holder, timestamp));
      for (const holder of going) add(holder, series, timestamp);
      const end = going.length < holders.length ? timestamp + 1 : seen.nextElsewhere(route.key, position, timestamp);
      if (end !== undefined) add(position, series, end);
    }
    for (const [shard, list] of lines) ender.end(shard, list);
  }
}
