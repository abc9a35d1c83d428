/** What was measured, kept file by file so that an interrupted run goes on where it was. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ARMS } from "./options";
import type { BenchQuery } from "./query-set";

const sampleSchema = z.object({
  /** Wall clock, seconds. */
  wall: z.number(),
  /** CPU seconds by program. */
  cpu: z.record(z.string(), z.number()),
  /** Sum of the processes' highest memory while they answered, bytes. */
  memory: z.number(),
  /** Bytes that the root read: over gRPC, but for the question itself. 0 where there is no root. */
  rootRead: z.number(),
  /** Seconds of each shard alone, and of putting the answers together; absent where an arm has no such parts. */
  parts: z.object({ shards: z.array(z.number()), root: z.number() }).optional(),
});

const armSchema = z.object({
  /** Why there is no answer; then there are no samples. */
  error: z.string().optional(),
  /** What differs from one Prometheus' answer. */
  difference: z.string().optional(),
  /** Why there is no critical path. */
  noParts: z.string().optional(),
  /** Queries that the root sent to a shard, without repetition. */
  remote: z.array(z.string()).optional(),
  /** Bytes of all shards' recorded answers. */
  grpcBytes: z.number().optional(),
  samples: z.array(sampleSchema),
});

const resultSchema = z.object({
  shards: z.number(),
  query: z.string(),
  /** Size of one Prometheus' answer: series or names. */
  size: z.number(),
  arms: z.partialRecord(z.enum(ARMS), armSchema),
});

export type Sample = z.infer<typeof sampleSchema>;
export type ArmResult = z.infer<typeof armSchema>;
/** One query on one N, all arms. */
export type QueryResult = z.infer<typeof resultSchema>;

const fileSchema = z.object({ fingerprint: z.string(), result: resultSchema });

/** Results of one data set; those of other programs or settings (`settings`) count as not measured. */
export class Results {
  constructor(
    private readonly folder: string,
    private readonly settings: string,
  ) {
    mkdirSync(folder, { recursive: true });
  }

  read(shards: number, query: BenchQuery): QueryResult | undefined {
    const path = this.#path(shards, query.name);
    if (!existsSync(path)) return undefined;
    const file = fileSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return file.success && file.data.fingerprint === this.#fingerprintOf(query) ? file.data.result : undefined;
  }

  write(result: QueryResult, query: BenchQuery): void {
    const path = this.#path(result.shards, result.query);
    writeFileSync(`${path}.partial`, JSON.stringify({ fingerprint: this.#fingerprintOf(query), result }));
    renameSync(`${path}.partial`, path);
  }

  /** A query that is asked in another way is another one. */
  #fingerprintOf({ request, direct }: BenchQuery): string {
    return createHash("sha256")
      .update(JSON.stringify([this.settings, request, direct]))
      .digest("hex")
      .slice(0, 16);
  }

  #path(shards: number, query: string): string {
    return join(this.folder, `n${String(shards)}-${query.replaceAll(/[^A-Za-z0-9.]+/g, "-")}.json`);
  }
}
