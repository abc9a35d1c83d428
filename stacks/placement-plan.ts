import type { PlacementArgs } from "../components/placement";
import { milliseconds } from "../model/durations";
import type { ExporterConfig } from "../model/exporter-config";
import { NAMES, PORTS, serviceHost } from "../model/names";
import type { Config } from "./config";

/** Volume of the table: a few MB at most, and no storage class is known that makes smaller ones than this. */
const STORAGE_SIZE = "1Gi";

/** Whether pins keep the shards alike. The single size has nothing to share out. */
export function hasPlacement(config: Config): boolean {
  return config.createThanos && config.push.placement;
}

/** Where exporters fetch the table, where there is one. */
export function placementUrl(config: Config): Pick<ExporterConfig, "placementUrl"> {
  if (!hasPlacement(config)) return {};
  return { placementUrl: `http://${serviceHost(NAMES.placement, config.namespace.name)}:${String(PORTS.table)}` };
}

/** The writer of the table, where the config asks for it. */
export function placementPlan(config: Config, ring: ExporterConfig): { readonly placement?: PlacementArgs } {
  if (!hasPlacement(config)) return {};
  const { version, shardLabel, homeShard, shards } = ring;
  return {
    placement: {
      config: {
        version,
        shardLabel,
        homeShard,
        shards: shards.map(({ index, name }) => ({ index, name })),
        exporters: `${serviceHost(NAMES.exporterPods, config.namespace.name)}:${String(PORTS.ops)}`,
        exporterReplicas: config.push.exporterReplicas,
        lookbackMilliseconds: milliseconds(config.query.lookbackDelta),
      },
      storageSize: STORAGE_SIZE,
      ...(config.storage.className === undefined ? {} : { storageClassName: config.storage.className }),
    },
  };
}
