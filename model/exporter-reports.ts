import { ConfigReader, parseJson } from "./config-reader";
import { MAX_PLACED_KEYS } from "./placement-table";

/** What exporters tell the placement, on their second port. Both sides use this module. */

/** Distinct series that one exporter took in one period. */
export interface SeriesPeriod {
  /** Only hashes whose upper `level` bits are zero were kept, one of 2^level. 0: all of them. */
  readonly level: number;
  /** 32 bit hashes of each key's series, as an exporter found them; the empty key stands for the series without one. */
  readonly keys: ReadonlyMap<string, Uint32Array>;
}

/** `GET /series-by-key` */
export interface SeriesReport {
  readonly shardLabel: string;
  /** How long this exporter has been counting, in milliseconds. */
  readonly coveredMilliseconds: number;
  /** Series of keys beyond those that are counted. */
  readonly uncountedSeries: number;
  /** This period and the one before it. */
  readonly periods: readonly SeriesPeriod[];
}

/** `GET /failovers` */
export interface FailoverReport {
  /** Version of the ring without pins in this exporter's configuration. */
  readonly ringVersion: string;
  /** Number of the newest table that it has taken; 0: none. */
  readonly table: number;
  /** Indexes of the shards none of whose hubs it can reach, or took a push a moment ago. */
  readonly failed: readonly number[];
}

/** The report's text. */
export function seriesReportText(report: SeriesReport): string {
  const { shardLabel, coveredMilliseconds, uncountedSeries, periods } = report;
  return `${JSON.stringify({
    shardLabel,
    coveredMilliseconds,
    uncountedSeries,
    periods: periods.map(({ level, keys }) => ({
      level,
      keys: [...keys].map(([key, hashes]) => [key, packed(hashes)]),
    })),
  })}\n`;
}

/** @throws Error that names what is wrong. */
export function parseSeriesReport(text: string): SeriesReport {
  const read = new ConfigReader();
  const root = read.object("(root)", jsonOf(text), ["shardLabel", "coveredMilliseconds", "uncountedSeries", "periods"]);
  const report: SeriesReport = {
    shardLabel: read.text("shardLabel", root["shardLabel"], /^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label name"),
    coveredMilliseconds: count(read, "coveredMilliseconds", root["coveredMilliseconds"]),
    uncountedSeries: count(read, "uncountedSeries", root["uncountedSeries"]),
    periods: read.list("periods", root["periods"], 1, 2).map((entry, at) => {
      const place = `periods[${String(at)}]`;
      const period = read.object(place, entry, ["level", "keys"]);
      return {
        level: read.integer(`${place}.level`, period["level"], 0, 31),
        keys: new Map(
          read.list(`${place}.keys`, period["keys"], 0, MAX_PLACED_KEYS + 1).map((pair, position) => {
            const key = `${place}.keys[${String(position)}]`;
            const [name, hashes] = read.list(key, pair, 2, 2);
            return [
              read.text(`${key}[0]`, name, /^[^]*$/, "the value of a label"),
              unpacked(read.text(`${key}[1]`, hashes, /^[A-Za-z0-9+/]*={0,2}$/, "base64")),
            ] as const;
          }),
        ),
      };
    }),
  };
  if (read.problems.length > 0) throw new Error(read.problems.slice(0, 5).join("; "));
  return report;
}

/** @throws Error that names what is wrong. */
export function parseFailoverReport(text: string): FailoverReport {
  const read = new ConfigReader();
  const root = read.object("(root)", jsonOf(text), ["ringVersion", "table", "failed"]);
  const report: FailoverReport = {
    ringVersion: read.text("ringVersion", root["ringVersion"], /^[\x21-\x7e]{1,64}$/, "a version"),
    table: count(read, "table", root["table"]),
    failed: read
      .list("failed", root["failed"], 0, 64)
      .map((index, at) => read.integer(`failed[${String(at)}]`, index, 0, 63)),
  };
  if (read.problems.length > 0) throw new Error(read.problems.slice(0, 5).join("; "));
  return report;
}

/** Series of each key over all exporters: a series that several of them took, or in several periods, counts once. */
export function seriesOf(reports: readonly SeriesReport[]): ReadonlyMap<string, number> {
  const periods = reports.flatMap((report) => report.periods);
  const level = Math.max(0, ...periods.map((period) => period.level));
  const distinct = new Map<string, Set<number>>();
  for (const { keys } of periods) {
    for (const [key, hashes] of keys) {
      let set = distinct.get(key);
      if (set === undefined) distinct.set(key, (set = new Set()));
      for (const hash of hashes) if (isKept(hash, level)) set.add(hash);
    }
  }
  return new Map([...distinct].map(([key, { size }]) => [key, size * 2 ** level]));
}

/** Whether a hash is one of the 2^-level that are kept at a level. */
export function isKept(hash: number, level: number): boolean {
  return level === 0 || hash >>> (32 - level) === 0;
}

function packed(hashes: Uint32Array): string {
  const bytes = Buffer.alloc(hashes.length * 4);
  hashes.forEach((hash, at) => bytes.writeUInt32LE(hash, at * 4));
  return bytes.toString("base64");
}

function unpacked(text: string): Uint32Array {
  const bytes = Buffer.from(text, "base64");
  return Uint32Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readUInt32LE(at * 4));
}

function count(read: ConfigReader, key: string, value: unknown): number {
  return read.integer(key, value, 0, Number.MAX_SAFE_INTEGER);
}

function jsonOf(text: string): unknown {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new Error(problem);
  return value;
}
