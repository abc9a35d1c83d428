import { ConfigReader, parseJson, type Fields } from "./config-reader";
import { ringVersion, type Pins, type RingShard } from "./ring";

/**
 * The one table that exporters route by: what the placement's writer publishes over HTTP and keeps on its volume. Both
 * sides use this module, so that a table which is cut off, mixed up or of another ring is refused by whoever reads it.
 *
 * Its first fields are a ring table as services/exporter/RING.md describes it.
 */

/** A key whose owner changed. */
export interface MovedKey {
  readonly key: string;
  /** Indexes of the shards that held it before. */
  readonly shards: readonly number[];
  /** Milliseconds since the epoch: when it moved. */
  readonly at: number;
}

/** A time in which pushes passed over a shard, because an exporter could reach none of its hubs. */
export interface FailedShard {
  /** Index of the shard. */
  readonly shard: number;
  /** Milliseconds since the epoch. While the shard is down, `until` is a little ahead and moves on. */
  readonly from: number;
  readonly until: number;
}

/** A ring before this one, while exporters may still have used it. */
export interface PreviousRing {
  readonly homeShard: number;
  readonly shards: readonly RingShard[];
  readonly pins: Pins;
  /** Milliseconds since the epoch: when the last exporter left it, as far as is known. */
  readonly until: number;
}

export interface PlacementTable {
  /** Goes up with every publication; not before the milliseconds since the epoch at which it was made. */
  readonly number: number;
  /** Version of the ring without the pins: the one that an exporter finds in its own configuration. */
  readonly ringVersion: string;
  readonly shardLabel: string;
  readonly homeShard: number;
  readonly shards: readonly RingShard[];
  readonly pins: Pins;
  /** Milliseconds since the epoch: when all exporters change to these pins. */
  readonly effectiveAt: number;
  /** How long an answer shows a series' last sample, in milliseconds: as long a moved key may be seen on two shards. */
  readonly lookback: number;
  /** Of the last two lookbacks. */
  readonly moved: readonly MovedKey[];
  /** Of the last lookback, and of now. */
  readonly failed: readonly FailedShard[];
  /** Of the last two lookbacks, newest first; with the same shard label. */
  readonly previous: readonly PreviousRing[];
}

/** Keys that a placement counts and pins; more are better left to the plain ring, and planning would take seconds. */
export const MAX_PLACED_KEYS = 20_000;
/** Latest time that is believed: the year 2100. */
const MAX_TIME = 4_102_444_800_000;
/** More failures than 64 shards have within a lookback, see services/placement/failures.ts. */
const MAX_FAILURES = 64 * 8;
/** Rings before this one that are told: more rescales than that don't fit into two lookbacks. */
export const MAX_PREVIOUS = 4;

/** Version of the table as RING.md defines it, pins included: writers with the same one route alike. */
export function tableVersion(table: PlacementTable): string {
  return ringVersion(table);
}

/** The table's text: keys always in the same order. */
export function tableText(table: PlacementTable): string {
  const { number, shardLabel, homeShard, shards, effectiveAt, lookback, moved, failed, previous } = table;
  return `${JSON.stringify({
    version: tableVersion(table),
    shardLabel,
    homeShard,
    shards: plainShards(shards),
    pins: plainPins(table.pins),
    number,
    ringVersion: table.ringVersion,
    effectiveAt,
    lookback,
    moved: moved.map(({ key, shards: held, at }) => ({ key, shards: held, at })),
    failed: failed.map(({ shard, from, until }) => ({ shard, from, until })),
    previous: previous.map((ring) => ({
      homeShard: ring.homeShard,
      shards: plainShards(ring.shards),
      pins: plainPins(ring.pins),
      until: ring.until,
    })),
  })}\n`;
}

const RING_KEYS = ["version", "shardLabel", "homeShard", "shards", "pins"];
const KEYS = [...RING_KEYS, "number", "ringVersion", "effectiveAt", "lookback", "moved", "failed", "previous"];

/** A table that can't be used; one line per problem. */
export class PlacementTableError extends Error {
  constructor(readonly problems: readonly string[]) {
    // One bad table may be wrong at each of its 20,000 pins.
    super(`the table has ${String(problems.length)} problem(s): ${problems.slice(0, 5).join("; ")}`);
    this.name = "PlacementTableError";
  }
}

/**
 * Reads and checks a table's text.
 * @throws PlacementTableError when it is no table, or its content does not give its versions.
 */
export function parseTableText(text: string): PlacementTable {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new PlacementTableError([problem]);
  const read = new ConfigReader();
  const root = read.object("(root)", value, KEYS);
  const shards = readShards(read, "shards", root["shards"]);
  const known = new Set(shards.map(({ index }) => index));
  const table: PlacementTable = {
    number: time(read, "number", root["number"]),
    ringVersion: version(read, "ringVersion", root["ringVersion"]),
    shardLabel: read.text("shardLabel", root["shardLabel"], /^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label name"),
    homeShard: read.integer("homeShard", root["homeShard"], 0, 63),
    shards,
    pins: readPins(read, "pins", root["pins"], known),
    effectiveAt: time(read, "effectiveAt", root["effectiveAt"]),
    lookback: read.integer("lookback", root["lookback"], 1_000, 86_400_000),
    moved: read.list("moved", root["moved"], 0, MAX_PLACED_KEYS + 1).map((entry, at) => {
      const key = `moved[${String(at)}]`;
      const moved = read.object(key, entry, ["key", "shards", "at"]);
      return {
        key: keyText(read, `${key}.key`, moved["key"]),
        shards: indexes(read, `${key}.shards`, moved["shards"]),
        at: time(read, `${key}.at`, moved["at"]),
      };
    }),
    failed: read.list("failed", root["failed"], 0, MAX_FAILURES).map((entry, at) => {
      const key = `failed[${String(at)}]`;
      const failed = read.object(key, entry, ["shard", "from", "until"]);
      return {
        shard: read.integer(`${key}.shard`, failed["shard"], 0, 63),
        from: time(read, `${key}.from`, failed["from"]),
        until: time(read, `${key}.until`, failed["until"]),
      };
    }),
    previous: read
      .list("previous", root["previous"], 0, MAX_PREVIOUS)
      .map((entry, at) => readPrevious(read, `previous[${String(at)}]`, entry)),
  };
  if (read.problems.length === 0) checkVersions(read, table, root);
  if (read.problems.length > 0) throw new PlacementTableError(read.problems);
  return table;
}

function checkVersions(read: ConfigReader, table: PlacementTable, root: Fields): void {
  const { shardLabel, homeShard, shards } = table;
  if (!shards.some(({ index }) => index === homeShard)) {
    read.report("homeShard", homeShard, "must be the index of a shard of the ring");
  }
  const whole = tableVersion(table);
  if (root["version"] !== whole) read.report("version", root["version"], `the content gives ${whole}: it is corrupt`);
  const plain = ringVersion({ shardLabel, homeShard, shards });
  if (table.ringVersion !== plain) {
    read.report("ringVersion", table.ringVersion, `the content gives ${plain}: it is corrupt`);
  }
}

function readShards(read: ConfigReader, key: string, value: unknown): readonly RingShard[] {
  const shards = read.list(key, value, 1, 64).map((entry, at) => {
    const place = `${key}[${String(at)}]`;
    const shard = read.object(place, entry, ["index", "name"]);
    return {
      index: read.integer(`${place}.index`, shard["index"], 0, 63),
      name: read.text(`${place}.name`, shard["name"], /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "a DNS label"),
    };
  });
  for (const values of [shards.map(({ index }) => index), shards.map(({ name }) => name)]) {
    if (new Set<unknown>(values).size !== values.length) read.report(key, values, "each must be unique");
  }
  return shards;
}

function readPins(read: ConfigReader, key: string, value: unknown, known: ReadonlySet<number>): Pins {
  const pins = new Map<string, readonly number[]>();
  read.list(key, value, 0, MAX_PLACED_KEYS + 1).forEach((entry, at) => {
    const place = `${key}[${String(at)}]`;
    const pin = read.object(place, entry, ["key", "shards"]);
    const name = keyText(read, `${place}.key`, pin["key"]);
    const shards = indexes(read, `${place}.shards`, pin["shards"]);
    if (pins.has(name)) read.report(`${place}.key`, name, "is pinned twice");
    if (!shards.every((index) => known.has(index)))
      read.report(`${place}.shards`, shards, "names no shard of the ring");
    pins.set(name, shards);
  });
  return pins;
}

function readPrevious(read: ConfigReader, key: string, value: unknown): PreviousRing {
  const previous = read.object(key, value, ["homeShard", "shards", "pins", "until"]);
  const shards = readShards(read, `${key}.shards`, previous["shards"]);
  const known = new Set(shards.map(({ index }) => index));
  const homeShard = read.integer(`${key}.homeShard`, previous["homeShard"], 0, 63);
  if (!known.has(homeShard)) read.report(`${key}.homeShard`, homeShard, "must be the index of a shard of that ring");
  return {
    homeShard,
    shards,
    pins: readPins(read, `${key}.pins`, previous["pins"], known),
    until: time(read, `${key}.until`, previous["until"]),
  };
}

function time(read: ConfigReader, key: string, value: unknown): number {
  return read.integer(key, value, 0, MAX_TIME);
}

function version(read: ConfigReader, key: string, value: unknown): string {
  return read.text(key, value, /^[0-9a-f]{16}$/, "16 hexadecimal digits");
}

function keyText(read: ConfigReader, key: string, value: unknown): string {
  return read.text(key, value, /^[^]*$/, "the value of a label");
}

function indexes(read: ConfigReader, key: string, value: unknown): readonly number[] {
  return read.list(key, value, 1, 64).map((index, at) => read.integer(`${key}[${String(at)}]`, index, 0, 63));
}

function plainShards(shards: readonly RingShard[]): readonly RingShard[] {
  return shards.map(({ index, name }) => ({ index, name }));
}

function plainPins(pins: Pins): readonly object[] {
  return [...pins].map(([key, shards]) => ({ key, shards }));
}
