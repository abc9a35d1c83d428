import * as kit from "./schema-kit";

/** The key `query`. */
export const querySchema = kit
  .object({
    timeout: kit.duration("1s", "1h").default("2m").describe("How long a query may take."),
    maxConcurrent: kit.wholeNumber(1, 1_000).default(20).describe("Queries at a time, per Querier and per Prometheus."),
    maxSamples: kit
      .wholeNumber(1_000, 5_000_000_000)
      .default(50_000_000)
      .describe("Samples that one query may hold in a Prometheus' memory."),
    lookbackDelta: kit
      .duration("1m", "1h")
      .default("5m")
      .describe("How long a series stays visible after its last sample."),
    evaluationInterval: kit
      .duration("1s", "1h")
      .default("1m")
      .describe("How often rules are evaluated, and the default step of subqueries."),
    replicas: kit.wholeNumber(1, 32).default(2).describe("Root Queriers; sharded sizes only."),
    frontend: kit
      .object({
        enabled: kit
          .flag()
          .default(true)
          .describe("A cache in front of the root Queriers; sharded sizes only. It aligns ranges with their step."),
        splitInterval: kit
          .duration("1h", "30d")
          .default("1d")
          .describe(
            "Range queries are split at multiples of this. Shorter makes cold queries slower: 1.7 times at 3h.",
          ),
        cacheSize: kit
          .memory("1Mi", "64Gi")
          .default("64Mi")
          .describe("Memory for answers to range queries, and as much again for labels, per replica."),
      })
      .prefault({})
      .describe("The query frontend."),
  })
  .prefault({})
  .describe("The query path. Every part gets the same values.");
