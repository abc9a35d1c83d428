import type { ExporterConfig } from "../../../../model/exporter-config";

/** Configuration for a test: one inner list of hub URLs per shard. */
export function exporterConfigOf(
  hubs: readonly (readonly string[])[],
  changes: Partial<ExporterConfig> = {},
): ExporterConfig {
  return {
    version: "test",
    shardLabel: "gatewayID",
    homeShard: 0,
    shards: hubs.map((urls, index) => ({
      index,
      name: `shard-${String(index)}`,
      hubs: urls.map((url, at) => ({ replica: at === 0 ? ("a" as const) : ("b" as const), url })),
    })),
    limits: { maxBodyBytes: 64 * 1024, maxMessageBytes: 64 * 1024, maxFutureSeconds: 60, maxAgeSeconds: 1500 },
    commit: { bufferBytes: 1024 * 1024, scrapeIntervalMilliseconds: 1000, maxResendAgeSeconds: 1620, drainSeconds: 5 },
    pushTimeoutMilliseconds: 300,
    ...changes,
  };
}
