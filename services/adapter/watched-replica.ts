import { notLooked, type Looks } from "./comparison";
import type { Facts, ReplicaProbe } from "./replica";
import type { Interval } from "./route";

const nothingKnown: Facts = { lowest: undefined, blocks: undefined, series: undefined };

/** What has been seen of one replica. */
export class WatchedReplica {
  isUp = false;
  facts = nothingKnown;
  labelledFrom = Infinity;
  looks: Looks = { newest: notLooked, recent: notLooked, history: notLooked };
  examinedAt = -Infinity;
  /** When it last answered a probe, and since when it was then up. */
  seenAt: number | undefined;
  /** It was away: nobody knows yet what it missed, most likely nothing. No more is in doubt than this time itself. */
  suspect: Interval | undefined;
  timeouts = 0;
  /** It refused: more than slow. */
  isAway = false;
  /** The probe that is under way. */
  look: Promise<void> | undefined;
  /** When the history was last asked for, answered or not. */
  historyAskedAt = -Infinity;
  /** What is being asked right now, apart from the probes. */
  readonly asking = new Set<string>();
  /** Aborted when the replica goes down: queries under way go to the other one. */
  life = new AbortController();

  constructor(
    readonly name: string,
    readonly probe: ReplicaProbe | undefined,
  ) {}
}
