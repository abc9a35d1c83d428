import type { ExporterConfig } from "../../../../model/exporter-config";

/** Configuration for a test: one inner list of hub URLs per shard, and of Prometheus URLs where some listen. */
export function exporterConfigOf(
  hubs: readonly (readonly string[])[],
  changes: Partial<ExporterConfig> = {},
  prometheus: readonly (readonly string[])[] = [],
): ExporterConfig {
  return {
    version: "test",
    shardLabel: "gatewayID",
    homeShard: 0,
    shards: hubs.map((urls, index) => ({
      index,
      name: `shard-${String(index)}`,
      hubs: urls.map((url, at) => ({
        replica: at === 0 ? ("a" as const) : ("b" as const),
        url,
        prometheusUrl: prometheus[index]?.[at],
      })),
    })),
    limits: { maxBodyBytes: 64 * 1024, maxMessageBytes: 64 * 1024, maxFutureSeconds: 60, maxAgeSeconds: 1500 },
    commit: { bufferBytes: 1024 * 1024, scrapeIntervalMilliseconds: 1000, maxResendAgeSeconds: 1620, drainSeconds: 5 },
    pushTimeoutMilliseconds: 300,
    lookbackSeconds: 300,
    ...changes,
  };
}
