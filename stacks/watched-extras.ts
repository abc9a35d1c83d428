import { NAMES, PORTS, RULER_SHARD, storePodsName } from "../model/names";
import type { Config } from "./config";
import type { WatchedExtras } from "./monitoring-plan";
import { hasPlacement } from "./placement-plan";
import { RULER_REPLICAS } from "./outputs";
import type { QueriedShard } from "./queried-shards";

/** Parts to watch that only some stacks have. */
export function watchedExtras(config: Config, queried: readonly QueriedShard[]): WatchedExtras {
  const stores = [...queried.map(({ index }) => storePodsName(index)), storePodsName(RULER_SHARD)];
  return {
    hasObjectStorage: config.objectStorage !== undefined,
    parts: [
      ...(config.createThanos
        ? [{ job: "ruler", services: [NAMES.ruler], port: PORTS.thanosHttp, replicas: RULER_REPLICAS }]
        : []),
      ...(config.objectStorage === undefined
        ? []
        : [
            { job: "store", services: stores, port: PORTS.thanosHttp, replicas: stores.length },
            { job: "compactor", services: [NAMES.compactor], port: PORTS.thanosHttp, replicas: 1 },
          ]),
      ...(hasPlacement(config)
        ? [{ job: "placement", services: [NAMES.placement], port: PORTS.ops, replicas: 1 }]
        : []),
      ...(config.configManager
        ? [{ job: "configmanager", services: [NAMES.configManager], port: PORTS.ops, replicas: 1 }]
        : []),
    ],
  };
}
