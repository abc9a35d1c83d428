import { z } from "zod";
import * as kit from "./schema-kit";
import type { Violation } from "./violation";

const tenantLimits = kit.object({
  label: kit.prometheusLabel().default("networkID").describe("Label whose value is the tenant."),
  maxSeries: kit
    .wholeNumber(1, 1_000_000_000)
    .optional()
    .describe("Series of a tenant that were pushed in the last 5 to 10 minutes; default: no limit."),
  maxSamplesPerSecond: kit
    .wholeNumber(1, 1_000_000_000)
    .optional()
    .describe("Samples of a tenant per second, a minute's worth at once; default: no limit."),
});

/** The config key `push`. */
export const pushSchema = kit
  .object({
    shardLabel: kit.prometheusLabel().default("gatewayID").describe("Label whose value decides the shard of a series."),
    homeShard: kit
      .wholeNumber(0, 63)
      .default(0)
      .describe("Shard of the series that lack the shard label; < serversCount."),
    exporterReplicas: kit.wholeNumber(1, 32).default(2).describe("Pods that take pushes."),
    placement: kit
      .flag()
      .default(true)
      .describe(
        "Keep shards alike: a small writer counts the series of each value of the shard label and moves those that make " +
          "a shard too full. false: plain hashing. Sharded sizes only.",
      ),
    scrapeInterval: kit
      .duration("1s", "1m")
      .default("15s")
      .describe("How often a Prometheus empties its hub: the delay until a push is readable."),
    hubLimit: kit
      .wholeNumber(1_000, 50_000_000)
      .default(500_000)
      .describe("Samples that a hub holds between scrapes; beyond it, pushes go to the next shard."),
    timeout: kit.duration("100ms", "1m").default("5s").describe("How long one push to one hub may take."),
    buffer: kit
      .memory("1Mi", "8Gi")
      .default("64Mi")
      .describe(
        "What an exporter keeps of the writes that not every replica has stored yet, to send it again; at least twice " +
          "limits.maxBodySize. Pushes that it has no room for go to the next shard, or are answered with 503.",
      ),
    grpc: kit
      .flag()
      .default(true)
      .describe("Take pushes over gRPC too, as Magma's controllers send them (`grpc.MetricsController/Collect`)."),
    tls: kit
      .object({
        secretName: kit
          .kubernetesSubdomain("the name of a Secret")
          .describe("Secret of the namespace, of the type kubernetes.io/tls; a new certificate is used at once."),
      })
      .optional()
      .describe("TLS on the push ports, HTTP and gRPC; default: none."),
    bearerToken: kit
      .object({
        secretName: kit
          .kubernetesSubdomain("the name of a Secret")
          .describe("Secret of the namespace with the key `token`: one token a line; a change is used at once."),
      })
      .optional()
      .describe("A token that each push must have; default: whoever reaches the exporter may push."),
    limits: kit
      .object({
        maxBodySize: kit.memory("1Ki", "256Mi").default("32Mi").describe("Largest push, before and after gunzip."),
        maxMessageSize: kit
          .memory("1Ki", "256Mi")
          .default("50Mi")
          .describe("Largest push over gRPC; what a stock Magma controller accepts itself is 50 MB."),
        maxFuture: kit
          .duration("0s", "10m")
          .default("60s")
          .describe("How far ahead of the exporter's clock a sample may be."),
        perTenant: tenantLimits
          .optional()
          .describe("What one tenant may push to each exporter; default: what the pipeline takes."),
      })
      .prefault({})
      .describe(
        "What a push may hold. Samples older than outOfOrderWindow minus 5 minutes are refused too; minus 2 minutes, " +
          "maxFuture and four scrapeInterval where that is more.",
      ),
  })
  .prefault({})
  .describe("The write path.");

/** Limits per tenant limit something. */
export function tenantLimitViolations(push: z.output<typeof pushSchema>): readonly Violation[] {
  const { perTenant } = push.limits;
  if (perTenant === undefined) return [];
  if (perTenant.maxSeries !== undefined || perTenant.maxSamplesPerSecond !== undefined) return [];
  return [
    {
      path: "push.limits.perTenant",
      value: perTenant,
      rule: "limits per tenant need maxSeries, maxSamplesPerSecond, or both",
      fix: "set one of them, or take perTenant out",
    },
  ];
}
