import type { ExporterConfig } from "../../model/exporter-config";
import { screen } from "./bounds";
import type { ExporterMetrics } from "./exporter-metrics";
import { parseExposition } from "./exposition";
import { ExpositionError } from "./exposition-error";
import type { Failover } from "./failover";
import { ByteBudget } from "../plumbing/read-body";
import type { Rejections } from "./rejections";
import type { Samples } from "./samples";
import type { SeriesByKey } from "./series-by-key";
import { TenantLimiter, type TenantRefusal } from "./tenant-limits";

/** Pushes in hand may hold this many times the largest one, packed and unpacked bytes together. */
const pushesInHand = 4;

/** What a store works with. */
export interface PushStoreDeps {
  readonly config: ExporterConfig;
  readonly failover: Failover;
  readonly metrics: ExporterMetrics;
  /** Why nothing can be placed at present; default: it can. */
  readonly notReady?: () => string | undefined;
  /** Counts what is stored, for the placement; default: nobody does. */
  readonly series?: SeriesByKey | undefined;
  /** Milliseconds since the epoch; tests put their own in. */
  readonly now?: () => number;
}

/** What became of the lines of one push. */
export type PushOutcome =
  /** Nothing of it is stored. */
  | { readonly kind: "malformed"; readonly line: number; readonly reason: string }
  /** Everything is stored but what is rejected or refused. */
  | {
      readonly kind: "stored";
      readonly samples: Samples;
      readonly accepted: number;
      readonly rejected: Rejections;
      readonly refusals: readonly TenantRefusal[];
    }
  /** No shard took some samples; to send the same push again is harmless when its samples have timestamps. */
  | { readonly kind: "unplaced"; readonly reason: string; readonly failures: readonly string[] };

/**
 * Checks the lines of a push and brings them to their shards: the same for HTTP and gRPC. `budget` is what all pushes in
 * hand may hold.
 */
export class PushStore {
  readonly budget: ByteBudget;
  readonly #deps: PushStoreDeps;
  readonly #tenants: TenantLimiter | undefined;

  constructor(deps: PushStoreDeps) {
    this.#deps = deps;
    const { limits, tenantLimits } = deps.config;
    const largest = Math.max(limits.maxBodyBytes, limits.maxMessageBytes);
    this.budget = new ByteBudget(largest * pushesInHand, (used) => deps.metrics.inFlightBytes.set(used));
    this.#tenants = tenantLimits === undefined ? undefined : new TenantLimiter(tenantLimits);
  }

  /** Stores lines of the text format. */
  async store(lines: Buffer): Promise<PushOutcome> {
    const { config, failover, metrics } = this.#deps;
    const notReady = this.#deps.notReady?.();
    if (notReady !== undefined) return { kind: "unplaced", reason: notReady, failures: [] };
    const now = (this.#deps.now ?? Date.now)();
    const samples = parsed(lines, config.shardLabel, now);
    if (samples instanceof ExpositionError) {
      return { kind: "malformed", line: samples.line, reason: samples.reason };
    }
    const screened = screen(samples, { now, ...config.limits });
    const { kept, refusals } = this.#tenants?.admit(samples, screened.kept, now) ?? {
      kept: screened.kept,
      refusals: [],
    };
    const placement = await failover.store(samples, kept);
    this.#deps.series?.count(samples, kept);
    const rejected = screened.rejections;
    rejected.merge(placement.rejections);
    const refused = refusals.reduce((sum, { samples: count }) => sum + count, 0);
    const accepted = samples.count - rejected.total - refused - placement.unplaced;
    for (const [reason, count] of rejected.counts) metrics.rejectedSamples.add(count, { reason });
    for (const { tenant, kind, samples: count } of refusals) metrics.refuse(tenant, kind, count);
    if (this.#tenants !== undefined) metrics.tenants.set(this.#tenants.size);
    if (placement.unplaced === 0) {
      metrics.acceptedSamples.add(accepted);
      return { kind: "stored", samples, accepted, rejected, refusals };
    }
    const reason = `no shard took ${String(placement.unplaced)} of ${String(samples.count)} samples; send the same body again`;
    return { kind: "unplaced", reason, failures: placement.failures };
  }
}

/** Seconds after which a push with refusals may be sent again, and why it was refused. */
export function limitAnswer(refusals: readonly TenantRefusal[]): {
  readonly retryAfter: number;
  readonly reason: string;
} {
  const names = refusals.map(({ tenant }) => JSON.stringify(tenant)).join(", ");
  return {
    retryAfter: Math.max(...refusals.map(({ retryAfter }) => retryAfter)),
    reason: `over the limits of ${names}; everything else is stored`,
  };
}

function parsed(lines: Buffer, shardLabel: string, receiveTime: number): Samples | ExpositionError {
  try {
    return parseExposition(lines, { shardLabel, receiveTime });
  } catch (error) {
    if (error instanceof ExpositionError) return error;
    throw error;
  }
}
