import type { TenantLimits } from "../../model/exporter-config";
import { samePiece } from "./hash";
import { unescaped } from "./route";
import type { Samples } from "./samples";
import { backslash, braceOpen, comma, equals, quote } from "./text-bytes";

/** Samples of one tenant that were not taken. */
export interface TenantRefusal {
  /** Value of the tenant label; empty for series without it. */
  readonly tenant: string;
  /** `rate`: all its samples of this push; `series`: those of series that it did not have before. */
  readonly kind: "rate" | "series";
  readonly samples: number;
  readonly reason: string;
  /** Seconds after which the same push may be taken. */
  readonly retryAfter: number;
}

/** What may be stored, as indexes into the columns of the push, and what may not. */
export interface Admission {
  readonly kept: Uint32Array;
  readonly refusals: readonly TenantRefusal[];
}

/** Seconds of its rate that a tenant may push at once: gateways push about once a minute. */
const burstSeconds = 60;
/** Milliseconds; a series that was not pushed for one to two of these is no longer counted. */
const generation = 5 * 60_000;
/** Tenants that are told apart; all further ones share one account. */
const maxTenants = 1_000;
/** Name of the shared account. */
export const otherTenants = "(other)";

/** One tenant's use, as this exporter sees it. */
class Tenant {
  /** Hashes of series. Two series with the same one count as one: about one in 100,000. */
  #series = new Set<number>();
  /** Series of the last generation that were not seen in this one. */
  #older = new Set<number>();
  #tokens: number;
  #filledAt: number;
  /** Samples of the push in hand. */
  inHand = 0;

  constructor(
    readonly name: string,
    readonly limits: TenantLimits,
    now: number,
  ) {
    this.#tokens = limits.maxSamplesPerSecond * burstSeconds;
    this.#filledAt = now;
  }

  /** Takes a push's samples out of the account; else the seconds until it has enough. A larger push than fits waits for a full account. */
  pay(samples: number, now: number): number | undefined {
    const rate = this.limits.maxSamplesPerSecond;
    if (rate === 0) return undefined;
    const full = rate * burstSeconds;
    this.#tokens = Math.min(full, this.#tokens + (Math.max(0, now - this.#filledAt) / 1000) * rate);
    this.#filledAt = now;
    const needed = Math.min(samples, full);
    if (this.#tokens < needed) return Math.ceil((needed - this.#tokens) / rate);
    this.#tokens -= samples;
    return undefined;
  }

  /** Counts a series; false when it is one too many. */
  count(hash: number): boolean {
    const { maxSeries } = this.limits;
    if (maxSeries === 0 || this.#series.has(hash)) return true;
    if (!this.#older.delete(hash) && this.#series.size + this.#older.size >= maxSeries) return false;
    this.#series.add(hash);
    return true;
  }

  /** Begins a generation; false when the tenant has pushed nothing in the last one. */
  age(now: number): boolean {
    const isIdle = now - this.#filledAt > generation && this.#series.size === 0;
    this.#older = this.#series;
    this.#series = new Set();
    return !isIdle;
  }
}

/**
 * Keeps each tenant within its limits, so that one can't take the pipeline from the others. As in Mimir and Cortex, a
 * push over the rate is refused for that tenant as a whole, and over the number of series only the new ones are, while
 * those that are there go on. Every exporter counts what it sees itself.
 */
export class TenantLimiter {
  readonly #limits: TenantLimits;
  readonly #label: Buffer;
  readonly #tenants = new Map<string, Tenant>();
  #other: Tenant | undefined;
  #agedAt: number | undefined;

  constructor(limits: TenantLimits) {
    this.#limits = limits;
    this.#label = Buffer.from(limits.label, "latin1");
  }

  /** Tenants that are known at present. */
  get size(): number {
    return this.#tenants.size;
  }

  /** @param chosen Ascending indexes. @param now Milliseconds since the epoch. */
  admit(samples: Samples, chosen: Uint32Array, now: number): Admission {
    this.#age(now);
    const owners = this.#owners(samples, chosen, now);
    const touched = new Set(owners);
    for (const owner of owners) owner.inHand += 1;
    const waits = new Map<Tenant, number>();
    for (const tenant of touched) {
      const wait = tenant.pay(tenant.inHand, now);
      if (wait !== undefined) waits.set(tenant, wait);
      tenant.inHand = 0;
    }
    const kept = new Uint32Array(chosen.length);
    const overRate = new Map<Tenant, number>();
    const overSeries = new Map<Tenant, number>();
    let count = 0;
    owners.forEach((owner, position) => {
      const at = chosen[position] ?? 0;
      if (waits.has(owner)) overRate.set(owner, (overRate.get(owner) ?? 0) + 1);
      else if (owner.count(samples.seriesHash[at] ?? 0)) kept[count++] = at;
      else overSeries.set(owner, (overSeries.get(owner) ?? 0) + 1);
    });
    return {
      kept: kept.subarray(0, count),
      refusals: [
        ...[...overRate].map(([tenant, refused]) => this.#rateRefusal(tenant, refused, waits.get(tenant) ?? 1)),
        ...[...overSeries].map(([tenant, refused]) => this.#seriesRefusal(tenant, refused)),
      ],
    };
  }

  /** The tenant of each chosen sample. Neighbours mostly have the same. */
  #owners(samples: Samples, chosen: Uint32Array, now: number): readonly Tenant[] {
    const { text } = samples;
    let last: { readonly start: number; readonly end: number; readonly tenant: Tenant } | undefined;
    return Array.from(chosen, (at) => {
      const { start, end } = labelValue(text, samples.start[at] ?? 0, samples.seriesEnd[at] ?? 0, this.#label);
      if (last === undefined || !samePiece(text, start, end, text, last.start, last.end)) {
        last = { start, end, tenant: this.#tenant(text.subarray(start, end), now) };
      }
      return last.tenant;
    });
  }

  #tenant(raw: Buffer, now: number): Tenant {
    const key = raw.toString("latin1");
    let tenant = this.#tenants.get(key);
    if (tenant === undefined) {
      if (this.#tenants.size >= maxTenants) return (this.#other ??= new Tenant(otherTenants, this.#limits, now));
      tenant = new Tenant(unescaped(raw).toString("utf8"), this.#limits, now);
      this.#tenants.set(key, tenant);
    }
    return tenant;
  }

  #age(now: number): void {
    this.#agedAt ??= now;
    if (now - this.#agedAt < generation) return;
    this.#agedAt = now;
    for (const [key, tenant] of this.#tenants) if (!tenant.age(now)) this.#tenants.delete(key);
    this.#other?.age(now);
  }

  #rateRefusal({ name }: Tenant, samples: number, retryAfter: number): TenantRefusal {
    const { label, maxSamplesPerSecond } = this.#limits;
    const limit = `${String(maxSamplesPerSecond)} samples a second, ${String(burstSeconds)} seconds' worth at once`;
    return { tenant: name, kind: "rate", samples, retryAfter, reason: `over the limit for one ${label}: ${limit}` };
  }

  #seriesRefusal({ name }: Tenant, samples: number): TenantRefusal {
    const { label, maxSeries } = this.#limits;
    const limit = `${String(maxSeries)} series; these are new ones`;
    const retryAfter = generation / 1000;
    return { tenant: name, kind: "series", samples, retryAfter, reason: `over the limit for one ${label}: ${limit}` };
  }
}

/** Where the value of `label` is in the canonical series `text[start, end)`, as written; empty when it is not there. */
function labelValue(text: Buffer, start: number, end: number, label: Buffer): { start: number; end: number } {
  let at = start;
  while (at < end && text[at] !== braceOpen) at += 1;
  while (at < end) {
    const nameAt = at + 1;
    let nameEnd = nameAt;
    while (nameEnd < end && text[nameEnd] !== equals) nameEnd += 1;
    const valueAt = nameEnd + 2;
    let valueEnd = valueAt;
    while (valueEnd < end && text[valueEnd] !== quote) valueEnd += text[valueEnd] === backslash ? 2 : 1;
    if (samePiece(text, nameAt, nameEnd, label, 0, label.length)) return { start: valueAt, end: valueEnd };
    if (text[valueEnd + 1] !== comma) break;
    at = valueEnd + 1;
  }
  return { start: 0, end: 0 };
}
