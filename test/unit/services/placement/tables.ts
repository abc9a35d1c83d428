import type { PlacementConfig } from "../../../../model/placement-config";
import type { PlacementTable } from "../../../../model/placement-table";
import { ringVersion } from "../../../../model/ring";
import { shardsOf } from "../../model/placement-fleets";

export const lookback = 300_000;

/** Configuration for a ring of some shards. */
export function placementConfigOf(shards: number, changes: Partial<PlacementConfig> = {}): PlacementConfig {
  const { shardLabel = "gatewayID" } = changes;
  const ring = { shardLabel, homeShard: 0, shards: shardsOf(shards) };
  return {
    version: ringVersion(ring),
    ...ring,
    exporters: "exporter-pods.example.svc:8080",
    exporterReplicas: 2,
    lookbackMilliseconds: lookback,
    ...changes,
  };
}

/** A table of a ring of some shards, without pins. */
export function tableOf(shards: number, changes: Partial<PlacementTable> = {}): PlacementTable {
  const { version, shardLabel, homeShard, shards: ring } = placementConfigOf(shards);
  return {
    number: 1,
    ringVersion: version,
    shardLabel,
    homeShard,
    shards: ring,
    pins: new Map(),
    effectiveAt: 0,
    lookback,
    moved: [],
    failed: [],
    previous: [],
    ...changes,
  };
}
