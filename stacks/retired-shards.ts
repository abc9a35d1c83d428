import type { ParsedConfig } from "./schema";

/** A shard that left the ring. */
export interface RetiredShard {
  readonly shard: number;
  /** Whether its Prometheus is deployed; false: its history is in the bucket only. */
  readonly local: boolean;
}

/** The retired shards of a config, a plain number being one that is still deployed. */
export function retiredShards(config: Pick<ParsedConfig, "retiredShards">): readonly RetiredShard[] {
  return config.retiredShards.map((entry) => (typeof entry === "number" ? { shard: entry, local: true } : entry));
}
