import type { Needs } from "./needs";

/** Where a query goes: pure, from what is known of the shard at this moment. All times in milliseconds since the epoch. */

/** A stretch of time, both ends included. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** What is known of one replica. */
export interface ReplicaView {
  /** Value of its replica label. */
  readonly name: string;
  /** Whether it has a Prometheus that can be asked, rather than a Ruler. */
  readonly isAskable: boolean;
  /** Answers, and has been looked at since it does. */
  readonly isUp: boolean;
  /** Where it misses samples that the other replica has, or where that can't be told. */
  readonly gaps: readonly Interval[];
  /** It refuses since then: what was written meanwhile may still be in its hub, also when its sidecar answers again. */
  readonly away?: Interval | undefined;
  /** From here on every series carries the right `cluster` and `shard`; Infinity: not known. */
  readonly labelledFrom: number;
  /** Its oldest sample; undefined: not known. */
  readonly lowest: number | undefined;
  /** Blocks on its disk; undefined: not known. */
  readonly blocks: number | undefined;
}

/** What is known of the shard. */
export interface ShardView {
  readonly now: number;
  /** Local retention in milliseconds. */
  readonly retention: number;
  /** Whether the leaf may have older samples than the replicas. */
  readonly hasBucket: boolean;
  readonly replicas: readonly ReplicaView[];
  /** Name of the replica that answered last. */
  readonly sticky: string | undefined;
}

/** What is known of a query. */
export interface RoutedQuery {
  /** Undefined: its plan could not be read. */
  readonly needs: Needs | undefined;
  /** Seconds; 0: instant. */
  readonly step: number;
  /** Seconds. */
  readonly lookback: number;
  /** Something that only a leaf can do for it. */
  readonly needsLeaf: LeafReason | undefined;
}

/** Why a query goes to the leaf: values of a metric's label. */
export type LeafReason =
  | "no plan"
  | "restricted"
  | "other replica labels"
  | "native histograms"
  | "too large"
  | "truncated"
  | "busy"
  | "not PromQL of Prometheus"
  | "beyond retention"
  | "before the oldest local sample"
  | "unlabelled series"
  | "gaps"
  | "sparse steps"
  | "no replica to ask"
  | "replicas failed";

/** Replicas to ask, in this order; then, or when there are none, the leaf, for the reason given. */
export interface Plan {
  readonly replicas: readonly string[];
  readonly reason: LeafReason;
}

/** With more blocks than this in its range, a query with step > lookback is slow in Prometheus: it opens each for each step. */
const sparseBlocks = 4;
const blockLength = 2 * 3_600_000;

/** Decides who answers a query. */
export function route(query: RoutedQuery, shard: ShardView): Plan {
  const { needs, needsLeaf } = query;
  if (needsLeaf !== undefined) return { replicas: [], reason: needsLeaf };
  if (needs === undefined) return { replicas: [], reason: "no plan" };
  const judged = shard.replicas
    .filter((replica) => replica.isAskable)
    .map((replica) => ({ name: replica.name, reason: refusal(query, needs, replica, shard) }));
  const able = judged.filter(({ reason }) => reason === undefined).map(({ name }) => name);
  able.sort((one, other) => Number(other === shard.sticky) - Number(one === shard.sticky));
  if (able.length > 0) return { replicas: able, reason: "replicas failed" };
  // What stands in the way of the best replica says most.
  const reasons = judged.map(({ reason }) => reason);
  return { replicas: [], reason: reasons.find((reason) => reason !== "no replica to ask") ?? "no replica to ask" };
}

/** Why a replica can't answer a query alone; undefined when it can. */
function refusal(query: RoutedQuery, needs: Needs, replica: ReplicaView, shard: ShardView): LeafReason | undefined {
  if (!replica.isUp) return "no replica to ask";
  if (needs.oldest > needs.newest) return undefined;
  if (shard.hasBucket) {
    if (needs.oldest < shard.now - shard.retention) return "beyond retention";
    // A disk that was lost: retention is a promise about a disk that was there all the time.
    if (replica.lowest === undefined || needs.oldest < replica.lowest) return "before the oldest local sample";
  }
  if (needs.oldest < replica.labelledFrom) return "unlabelled series";
  if (touches(replica.gaps, needs)) return "gaps";
  if (needs.hasInstantSelector && query.step > query.lookback) {
    const inRange = Math.ceil((needs.newest - needs.oldest) / blockLength) + 1;
    if (Math.min(inRange, replica.blocks ?? Infinity) > sparseBlocks) return "sparse steps";
  }
  return undefined;
}

function touches(gaps: readonly Interval[], { oldest, newest }: Pick<Needs, "oldest" | "newest">): boolean {
  return gaps.some((gap) => gap.from <= newest && gap.to >= oldest);
}

/** What a leaf sees: the replica labels of the live TSDBs behind it, and how many TSDBs in all. */
export interface LeafView {
  readonly replicas: ReadonlySet<string>;
  readonly tsdbs: number;
}

const everything: Pick<Needs, "oldest" | "newest"> = { oldest: -Infinity, newest: Infinity };

/** What an answer of the leaf would lack. */
export interface Missing {
  readonly text: string;
  /** A replica that answers is not seen yet: at its next look, within 5 s, the leaf will find it. */
  readonly isPassing: boolean;
}

/**
 * Whether the leaf's answer would be complete: a leaf does not miss a sidecar that it does not know.
 * @param needs Undefined: it is not known which samples are needed.
 * @returns Undefined when it would, else what is missing.
 */
export function missingBehindLeaf(
  needs: Pick<Needs, "oldest" | "newest"> | undefined,
  shard: ShardView,
  leaf: LeafView,
): Missing | undefined {
  if (leaf.tsdbs === 0 && shard.replicas.length === 0) {
    return { text: "the leaf has nothing behind it", isPassing: true };
  }
  const wanted = needs ?? everything;
  const isAway = ({ away }: ReplicaView) => away !== undefined && touches([away], wanted);
  if (shard.replicas.some(isAway) && shard.replicas.every((each) => isAway(each) || touches(each.gaps, wanted))) {
    const names = shard.replicas.filter(isAway).map(({ name }) => name);
    return { text: `replica ${names.join(", ")} is not ready`, isPassing: false };
  }
  const unseen = shard.replicas.filter(({ name }) => !leaf.replicas.has(name));
  if (unseen.length === 0) return undefined;
  const names = unseen.map(({ name }) => name).join(", ");
  const isPassing = unseen.some((replica) => replica.isUp || !replica.isAskable);
  const seen = shard.replicas.filter(({ name }) => leaf.replicas.has(name));
  if (seen.length === 0) return { text: `the leaf sees no replica (${names})`, isPassing };
  // One complete replica is enough; what only the unseen one has is missing.
  if (seen.some((each) => !isAway(each) && !touches(each.gaps, wanted))) return undefined;
  return { text: `the leaf does not see replica ${names}, and the other one has a gap`, isPassing };
}
