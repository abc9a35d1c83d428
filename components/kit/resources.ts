import type { ContainerComponent } from "../../model/parts";
import { cpuQuantity, memoryQuantity, quantity } from "../../model/quantities";

/** Requests and limits of a container, in canonical quantities. There are no CPU limits: throttling delays scrapes. */
export interface ContainerResources {
  readonly requests: { readonly cpu: string; readonly memory: string };
  readonly limits: { readonly memory: string };
}

/** What a user may set of a container's resources. */
export interface ResourceOverride {
  /** CPU request. */
  readonly cpu?: string | undefined;
  /** Memory request. */
  readonly memory?: string | undefined;
  readonly memoryLimit?: string | undefined;
}

/** What default resources are computed from. Nothing here depends on the number of shards. */
export interface Load {
  /** Active series of one shard. */
  readonly seriesPerShard: number;
  /** Samples that a hub may hold. */
  readonly hubLimit: number;
  /** Bytes of each of the query frontend's two caches. */
  readonly cacheBytes: number;
}

interface Estimate {
  /** Cores. */
  readonly cpu: number;
  /** Bytes. */
  readonly request: number;
  /** Bytes. */
  readonly limit: number;
}

const MIB = 2 ** 20;

/**
 * Bytes of a Prometheus per active series: 2 GiB per million (head, doubled for the garbage collector; Prometheus'
 * own sizing for 2.9), twice that again for out-of-order chunks, churn within two hours, queries and WAL replay.
 */
const PROMETHEUS_BYTES_PER_SERIES = 4 * 2048;
/** Cores per active series: 5-6 cores at 3 M series a shard (facts/prometheus.md). */
const PROMETHEUS_CORES_PER_SERIES = 2e-6;
/** Bytes of a hub per sample: 156 MiB measured at 105,000. */
const HUB_BYTES_PER_SAMPLE = 1536;

function estimate(component: ContainerComponent, load: Load): Estimate {
  switch (component) {
    case "prometheus": {
      const memory = 256 * MIB + load.seriesPerShard * PROMETHEUS_BYTES_PER_SERIES;
      return { cpu: Math.max(0.05, load.seriesPerShard * PROMETHEUS_CORES_PER_SERIES), request: memory, limit: memory };
    }
    case "hub":
      return {
        cpu: Math.max(0.02, load.seriesPerShard * 2e-7),
        request: 64 * MIB + Math.min(load.seriesPerShard, load.hubLimit) * HUB_BYTES_PER_SAMPLE,
        limit: 128 * MIB + Math.max(load.seriesPerShard, load.hubLimit) * HUB_BYTES_PER_SAMPLE,
      };
    case "gate":
      return { cpu: 0.01, request: 64 * MIB, limit: 256 * MIB };
    case "sidecar":
      // It holds a whole remote-read answer while it sorts it.
      return { cpu: 0.02, request: 128 * MIB, limit: 512 * MIB + load.seriesPerShard * 4096 };
    case "querier":
      return { cpu: 0.05, request: 256 * MIB, limit: 1024 * MIB + load.seriesPerShard * 10_240 };
    case "leaf":
      // It holds what its part of a query needs of one shard, and only for the queries that Prometheus does not answer.
      return { cpu: 0.02, request: 128 * MIB, limit: 768 * MIB + load.seriesPerShard * 10_240 };
    case "adapter":
      // At most 96 MiB of answers at a time, beside the runtime.
      return { cpu: 0.02, request: 96 * MIB, limit: 512 * MIB };
    case "query-frontend":
      return { cpu: 0.02, request: 64 * MIB, limit: 384 * MIB + 3 * load.cacheBytes };
    case "ruler":
      // Its own TSDB holds results only; a rule over a shard's series holds them while it is evaluated.
      return { cpu: 0.02, request: 128 * MIB, limit: 512 * MIB + load.seriesPerShard * 1024 };
    case "rules-sync":
      return { cpu: 0.005, request: 48 * MIB, limit: 128 * MIB };
    case "exporter":
      return { cpu: 0.05, request: 192 * MIB, limit: 1024 * MIB };
    case "store":
      // Index headers are mapped files and not counted here; half of the limit is for chunks, a quarter for the index.
      return { cpu: 0.02, request: 256 * MIB, limit: 1024 * MIB + load.seriesPerShard * 8192 };
    case "compactor":
      // It merges the blocks of two weeks of one shard; upstream names 10 GB for a medium bucket.
      return { cpu: 0.02, request: 256 * MIB, limit: 1024 * MIB + load.seriesPerShard * 16_384 };
    case "alertmanager":
      return { cpu: 0.01, request: 64 * MIB, limit: 256 * MIB };
    case "configmanager":
      // A program of a few MB that holds one tenant's file at a time.
      return { cpu: 0.005, request: 32 * MIB, limit: 128 * MIB };
    case "monitoring":
      // About 850 series per shard and 90 MiB at two of them, measured; the limit has room for 64.
      return { cpu: 0.02, request: 128 * MIB, limit: 1024 * MIB };
  }
}

/** Resources of a container: what the user set, else an estimate from the expected load. */
export function resourcesFor(
  component: ContainerComponent,
  load: Load,
  override: ResourceOverride,
): ContainerResources {
  const { cpu, request, limit } = estimate(component, load);
  const estimated = memoryQuantity(request);
  // A limit below the estimate is the user's word for both.
  const { memoryLimit = estimated } = override;
  const memory = override.memory ?? (quantity(memoryLimit) < quantity(estimated) ? memoryLimit : estimated);
  return {
    requests: { cpu: override.cpu ?? cpuQuantity(cpu), memory },
    limits: { memory: override.memoryLimit ?? (quantity(memory) >= limit ? memory : memoryQuantity(limit)) },
  };
}

/** Node's heap limit below a container's memory limit, in MiB: the rest is for buffers and the runtime itself. */
export function nodeHeapMebibytes(resources: ContainerResources): number {
  return Math.floor((quantity(resources.limits.memory) / MIB) * 0.75);
}
