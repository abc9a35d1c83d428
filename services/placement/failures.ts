import type { FailedShard } from "../../model/placement-table";

/** Milliseconds for which a report holds unless it is repeated. The exporters are asked every second. */
export const failureTtl = 10_000;
/** Failures of one shard that are remembered; a shard that flaps more often forgets the oldest. */
const keptPerShard = 8;

/** What failures are judged by. */
export interface FailureScope {
  /** Indexes of the ring's shards. */
  readonly shards: readonly number[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How long a failure that has ended is remembered, in milliseconds. */
  readonly lookback: number;
  /** Whether every exporter answered. One that did not may still be the one that can't reach a shard. */
  readonly isWhole: boolean;
}

/**
 * The shards that all exporters pass over, from what each of them can't reach. One exporter is enough, so that one that
 * is cut off and the others still agree; but one that can't reach more than half of the shards is taken to be cut off
 * itself, and needs most of the others to say the same. A failure ends when nobody reports it any more; where not every
 * exporter answered, when its time is over.
 *
 * @param reports For each exporter that answered the indexes of the shards that it can't reach.
 * @returns `known` itself when nothing has to be told.
 */
export function failedShards(
  known: readonly FailedShard[],
  reports: readonly (readonly number[])[],
  { shards, now, lookback, isWhole }: FailureScope,
): readonly FailedShard[] {
  const isDown = (shard: number): boolean => {
    const reporting = reports.filter((failed) => failed.includes(shard));
    return reporting.some((failed) => failed.length * 2 <= shards.length) || reporting.length * 2 > reports.length;
  };
  let changed = false;
  const next = known
    .filter(({ until }) => until + lookback > now)
    .map((failure): FailedShard => {
      const { shard, from, until } = failure;
      if (until <= now) return failure;
      const down = shards.includes(shard) && isDown(shard);
      if (!down && !isWhole && shards.includes(shard)) return failure;
      // Told again when half of its time is over: a table a second would say nothing new.
      if (down && until - now >= failureTtl / 2) return failure;
      changed = true;
      return { shard, from, until: down ? now + failureTtl : now };
    });
  for (const shard of shards) {
    if (!isDown(shard) || next.some((failure) => failure.shard === shard && failure.until > now)) continue;
    changed = true;
    next.push({ shard, from: now, until: now + failureTtl });
  }
  if (!changed) return known;
  return next.filter(({ shard }, at) => next.slice(at).filter((later) => later.shard === shard).length <= keptPerShard);
}
