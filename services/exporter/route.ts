import { shardOrder, type Pins, type RingShard } from "../../model/ring";
import { hashBytes, samePiece } from "./hash";
import type { Samples } from "./samples";

/** Keys that are remembered before the table starts anew: more than any fleet has, few enough for tens of megabytes. */
const maxCachedKeys = 200_000;

/** Positions in the list of shards, first choice first. */
export type Order = readonly number[];

/** Where the series of one key go. The same object for the same key, until the table starts anew. */
export interface Route {
  /** Value of the shard label, unescaped; empty for the series without one. */
  readonly key: string;
  readonly order: Order;
}

interface CachedKey {
  /** The key as written, escapes included. */
  readonly raw: Buffer;
  readonly route: Route;
  /** Another key with the same hash. */
  readonly next: CachedKey | undefined;
}

/**
 * Finds the order of shards for routing keys. Hashing a key with SHA-256 for every shard costs microseconds, so the
 * orders are kept by the bytes of the key as written in the line.
 */
export class Router {
  readonly #homeShard: number;
  readonly #shards: readonly (RingShard & { readonly position: number })[];
  #pins: Pins = new Map();
  #withoutKey: Route;
  #cache = new Map<number, CachedKey>();
  #cached = 0;
  #last: CachedKey | undefined;

  constructor(table: { readonly homeShard: number; readonly shards: readonly RingShard[] }) {
    this.#homeShard = table.homeShard;
    this.#shards = table.shards.map(({ index, name }, position) => ({ index, name, position }));
    this.#withoutKey = { key: "", order: this.#ranked(undefined) };
  }

  /** From now on these keys leave their own order; a push in hand goes on as it began. */
  usePins(pins: Pins): void {
    this.#pins = pins;
    this.#withoutKey = { key: "", order: this.#ranked(undefined) };
    this.#cache = new Map();
    this.#cached = 0;
    this.#last = undefined;
  }

  /** Where the sample `at` goes. */
  routeOf(samples: Samples, at: number): Route {
    const start = samples.keyStart[at] ?? 0;
    const end = samples.keyEnd[at] ?? 0;
    if (start === end) return this.#withoutKey;
    const { text } = samples;
    const last = this.#last;
    if (last !== undefined && samePiece(text, start, end, last.raw, 0, last.raw.length)) return last.route;
    const hash = hashBytes(text, start, end);
    let entry = this.#cache.get(hash);
    while (entry !== undefined && !samePiece(text, start, end, entry.raw, 0, entry.raw.length)) entry = entry.next;
    entry ??= this.#add(Buffer.from(text.subarray(start, end)), hash);
    this.#last = entry;
    return entry.route;
  }

  #add(raw: Buffer, hash: number): CachedKey {
    if (this.#cached >= maxCachedKeys) {
      this.#cache = new Map();
      this.#cached = 0;
    }
    const key = unescaped(raw);
    const route = { key: key.toString(), order: this.#ranked(key) };
    const entry: CachedKey = { raw, route, next: this.#cache.get(hash) };
    this.#cache.set(hash, entry);
    this.#cached += 1;
    return entry;
  }

  #ranked(key: Uint8Array | undefined): Order {
    const pin = this.#pins.size === 0 ? undefined : this.#pins.get(Buffer.from(key ?? []).toString("utf8"));
    const order = shardOrder({ homeShard: this.#homeShard, shards: this.#shards }, key, pin);
    return order.map(({ position }) => position);
  }
}

/** The label value that an escaped text stands for, in UTF-8. */
export function unescaped(raw: Buffer): Buffer {
  if (!raw.includes("\\")) return raw;
  const text = raw.toString("latin1").replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
  return Buffer.from(text, "latin1");
}
