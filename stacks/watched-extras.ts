import { leafPodsName, NAMES, PORTS, RULER_SHARD, storePodsName } from "../model/names";
import type { Config } from "./config";
import type { WatchedExtras } from "./monitoring-plan";
import { RULER_REPLICAS } from "./outputs";
import { replicaLetters, type QueriedShard } from "./queried-shards";

/** Parts to watch that only some stacks have. */
export function watchedExtras(config: Config, queried: readonly QueriedShard[]): WatchedExtras {
  const leaves = [...queried.map(({ index }) => index), RULER_SHARD].map(leafPodsName);
  const leafPods = leaves.length * replicaLetters(config).length;
  const stores = [...queried.map(({ index }) => storePodsName(index)), storePodsName(RULER_SHARD)];
  return {
    hasObjectStorage: config.objectStorage !== undefined,
    endpoints: config.createThanos ? leaves.length : 0,
    parts: [
      ...(config.createThanos
        ? [
            { job: "ruler", services: [NAMES.ruler], port: PORTS.thanosHttp, replicas: RULER_REPLICAS },
            { job: "leaf", services: leaves, port: PORTS.thanosHttp, replicas: leafPods, isPerShard: true },
            { job: "adapter", services: leaves, port: PORTS.ops, replicas: leafPods, isPerShard: true },
          ]
        : []),
      ...(config.objectStorage === undefined
        ? []
        : [
            { job: "store", services: stores, port: PORTS.thanosHttp, replicas: stores.length },
            { job: "compactor", services: [NAMES.compactor], port: PORTS.thanosHttp, replicas: 1 },
          ]),
      ...(config.configManager
        ? [{ job: "configmanager", services: [NAMES.configManager], port: PORTS.ops, replicas: 1 }]
        : []),
    ],
  };
}
