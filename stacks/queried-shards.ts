import type { ReplicaLetter } from "../model/names";
import type { Config } from "./config";
import { retiredShards } from "./retired-shards";

/** A shard that answers for its series. */
export interface QueriedShard {
  readonly index: number;
  /** It has no hub and is not in the ring. */
  readonly isRetired: boolean;
  /** Its replicas with a Prometheus; none when only what is in the bucket is left of it. */
  readonly replicas: readonly ReplicaLetter[];
}

/** Replicas of every shard that is deployed. Replica b changes nothing of a, so that it can come and go. */
export function replicaLetters({ highAvailability }: Pick<Config, "highAvailability">): readonly ReplicaLetter[] {
  return highAvailability ? ["a", "b"] : ["a"];
}

/** The shards that every answer is made of: those of the ring, then the retired ones. */
export function queriedShards(config: Config): readonly QueriedShard[] {
  const replicas = replicaLetters(config);
  const inRing = Array.from({ length: config.serversCount }, (_, index) => ({ index, isRetired: false, replicas }));
  const retired = [...retiredShards(config)].sort((left, right) => left.shard - right.shard);
  return [
    ...inRing,
    ...retired.map(({ shard, local }) => ({ index: shard, isRetired: true, replicas: local ? replicas : [] })),
  ];
}
