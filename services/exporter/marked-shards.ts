import type { ExporterShards } from "../../model/exporter-shards";
import type { ReplicaLetter } from "../../model/names";

/** A shard on which series may have to be ended. */
export interface MarkedShard {
  readonly index: number;
  readonly name: string;
  /** Without `prometheusUrl` nothing is ended there. */
  readonly replicas: readonly { readonly replica: ReplicaLetter; readonly prometheusUrl?: string | undefined }[];
}

/**
 * The shards that may hold series of keys which are pushed now: those of the ring at their positions in it, then the
 * retired ones.
 */
export function markedShards({ shards, retired = [] }: ExporterShards): readonly MarkedShard[] {
  return [...shards.map(({ index, name, hubs }) => ({ index, name, replicas: hubs })), ...retired];
}
