import { ConfigFileError, ConfigReader, parseJson } from "./config-reader";
import { checkExporterShards, orderedExporterShards, readExporterShards, type ExporterShards } from "./exporter-shards";

/**
 * The exporter's configuration file: what the program writes into a content-named ConfigMap and the exporter reads once
 * at its start. Both sides use this module, so that they cannot disagree about a key.
 */

/** Scrape intervals after which what is not stored counts as missing and is sent again; doubles with each time. */
export const INTERVALS_TO_STORE = 2;

/** What a push may hold. */
export interface ExporterLimits {
  /** Largest body in bytes, before and after gunzip. A larger one is answered with 413. */
  readonly maxBodyBytes: number;
  /** Largest gRPC message in bytes. A larger one is answered with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
  /** How far ahead of the exporter's clock a sample may be, in seconds. */
  readonly maxFutureSeconds: number;
  /** How old a sample may be, in seconds: so much less than the out-of-order window that it can be sent again. */
  readonly maxAgeSeconds: number;
}

/** How writes are kept until they are stored. */
export interface ExporterCommit {
  /** Bytes of writes that are kept, of all shards together. */
  readonly bufferBytes: number;
  /** How often a Prometheus empties its hub, in milliseconds: a write that is missing after two of these is sent again. */
  readonly scrapeIntervalMilliseconds: number;
  /** Oldest sample that is sent again, in seconds: within the out-of-order window, which goes by the newest sample. */
  readonly maxResendAgeSeconds: number;
  /** How long an exporter that is told to stop waits for what it acknowledged to be stored, in seconds. */
  readonly drainSeconds: number;
}

/** What one tenant may push to one exporter. */
export interface TenantLimits {
  /** Label whose value is the tenant (`networkID`). */
  readonly label: string;
  /** Series of a tenant; 0: no limit. */
  readonly maxSeries: number;
  /** Samples of a tenant per second, over a minute; 0: no limit. */
  readonly maxSamplesPerSecond: number;
}

export interface ExporterConfig extends ExporterShards {
  /** Version of the ring table (`ringVersion` of model/ring.ts): exporters with the same string route alike. */
  readonly version: string;
  /** Label whose value decides the shard of a series (`gatewayID`). */
  readonly shardLabel: string;
  /** Index of the shard that takes the series without the shard label. */
  readonly homeShard: number;
  readonly limits: ExporterLimits;
  readonly commit: ExporterCommit;
  /** Absent: tenants are not limited. */
  readonly tenantLimits?: TenantLimits;
  /** How long one push to one hub may take, connecting included, before the hub counts as failed, in milliseconds. */
  readonly pushTimeoutMilliseconds: number;
  /** How long a series stays visible after its last sample, in seconds: `query.lookback-delta` of who answers. */
  readonly lookbackSeconds: number;
  /**
   * Base URL of the placement, which publishes the table to route by: pins, and shards that are down. Absent: the ring as
   * it stands here, and every exporter finds out for itself which shards are down.
   */
  readonly placementUrl?: string;
}

/** All that is wrong with an exporter's configuration; one line per problem: key, value, rule, fix. */
export class ExporterConfigError extends ConfigFileError {
  constructor(problems: readonly string[]) {
    super("exporter", problems);
    this.name = "ExporterConfigError";
  }
}

/** Bytes. */
const largestPush = 256 * 1024 * 1024;
/** Far beyond what one exporter takes. */
const mostPerTenant = 1_000_000_000;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/**
 * Checks the parsed JSON of a configuration file.
 * @throws ExporterConfigError with every problem at once.
 */
export function parseExporterConfig(value: unknown): ExporterConfig {
  const read = new ConfigReader();
  const root = read.object("(root)", value, [
    "version",
    "shardLabel",
    "homeShard",
    "shards",
    "retired",
    "limits",
    "commit",
    "tenantLimits",
    "pushTimeoutMilliseconds",
    "lookbackSeconds",
    "placementUrl",
  ]);
  const limits = read.object("limits", root["limits"], [
    "maxBodyBytes",
    "maxMessageBytes",
    "maxFutureSeconds",
    "maxAgeSeconds",
  ]);
  const config: ExporterConfig = {
    version: read.text(
      "version",
      root["version"],
      /^[\x21-\x7e]{1,64}$/,
      "1 to 64 printable characters without blanks",
    ),
    shardLabel: readLabel(read, "shardLabel", root["shardLabel"]),
    homeShard: read.integer("homeShard", root["homeShard"], 0, 63),
    ...readExporterShards(read, root["shards"], root["retired"]),
    limits: {
      maxBodyBytes: read.integer("limits.maxBodyBytes", limits["maxBodyBytes"], 1024, largestPush),
      maxMessageBytes: read.integer("limits.maxMessageBytes", limits["maxMessageBytes"], 1024, largestPush),
      maxFutureSeconds: read.integer("limits.maxFutureSeconds", limits["maxFutureSeconds"], 0, 600),
      maxAgeSeconds: read.integer("limits.maxAgeSeconds", limits["maxAgeSeconds"], 60, 366 * 86_400),
    },
    commit: readCommit(read, root["commit"]),
    ...(root["tenantLimits"] === undefined ? {} : { tenantLimits: readTenantLimits(read, root["tenantLimits"]) }),
    pushTimeoutMilliseconds: read.integer("pushTimeoutMilliseconds", root["pushTimeoutMilliseconds"], 10, 600_000),
    lookbackSeconds: read.integer("lookbackSeconds", root["lookbackSeconds"], 1, 86_400),
    ...(root["placementUrl"] === undefined
      ? {}
      : { placementUrl: read.baseUrl("placementUrl", root["placementUrl"], "http://placement:9104") }),
  };
  checkTogether(read, config);
  if (read.problems.length > 0) throw new ExporterConfigError(read.problems);
  return config;
}

/**
 * Reads a configuration file's text.
 * @throws ExporterConfigError when it is not JSON, or with every problem of the configuration.
 */
export function parseExporterConfigText(text: string): ExporterConfig {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new ExporterConfigError([problem]);
  return parseExporterConfig(value);
}

/** The file's text: checked, keys always in the same order, so that equal configurations give equal bytes. */
export function exporterConfigText(config: ExporterConfig): string {
  const checked = parseExporterConfig(config);
  const { version, shardLabel, homeShard, limits, commit, tenantLimits } = checked;
  const { pushTimeoutMilliseconds, lookbackSeconds, placementUrl } = checked;
  const { maxBodyBytes, maxMessageBytes, maxFutureSeconds, maxAgeSeconds } = limits;
  const ordered: ExporterConfig = {
    version,
    shardLabel,
    homeShard,
    ...orderedExporterShards(checked),
    limits: { maxBodyBytes, maxMessageBytes, maxFutureSeconds, maxAgeSeconds },
    commit: {
      bufferBytes: commit.bufferBytes,
      scrapeIntervalMilliseconds: commit.scrapeIntervalMilliseconds,
      maxResendAgeSeconds: commit.maxResendAgeSeconds,
      drainSeconds: commit.drainSeconds,
    },
    ...(tenantLimits === undefined ? {} : { tenantLimits: orderedTenantLimits(tenantLimits) }),
    pushTimeoutMilliseconds,
    lookbackSeconds,
    ...(placementUrl === undefined ? {} : { placementUrl }),
  };
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

function orderedTenantLimits({ label, maxSeries, maxSamplesPerSecond }: TenantLimits): TenantLimits {
  return { label, maxSeries, maxSamplesPerSecond };
}

function readLabel(read: ConfigReader, key: string, value: unknown): string {
  const label = read.text(key, value, labelName, "a label name: letters, digits and _, not first a digit");
  if (label === "__name__") read.report(key, value, "is the metric name; choose a label");
  return label;
}

function readCommit(read: ConfigReader, value: unknown): ExporterCommit {
  const commit = read.object("commit", value, [
    "bufferBytes",
    "scrapeIntervalMilliseconds",
    "maxResendAgeSeconds",
    "drainSeconds",
  ]);
  const integer = (key: keyof ExporterCommit, least: number, most: number) =>
    read.integer(`commit.${key}`, commit[key], least, most);
  return {
    bufferBytes: integer("bufferBytes", 1024, 64 * 1024 ** 3),
    scrapeIntervalMilliseconds: integer("scrapeIntervalMilliseconds", 100, 600_000),
    maxResendAgeSeconds: integer("maxResendAgeSeconds", 1, 366 * 86_400),
    drainSeconds: integer("drainSeconds", 0, 3600),
  };
}

function readTenantLimits(read: ConfigReader, value: unknown): TenantLimits {
  const limits = read.object("tenantLimits", value, ["label", "maxSeries", "maxSamplesPerSecond"]);
  const most = (key: string): number => read.integer(`tenantLimits.${key}`, limits[key], 0, mostPerTenant);
  return {
    label: readLabel(read, "tenantLimits.label", limits["label"]),
    maxSeries: most("maxSeries"),
    maxSamplesPerSecond: most("maxSamplesPerSecond"),
  };
}

/** Rules over more than one key. Runs on placeholder values too, so a wrong field may be named twice but never missed. */
function checkTogether(read: ConfigReader, config: ExporterConfig): void {
  checkExporterShards(read, config);
  const { shards, homeShard } = config;
  if (shards.length > 0 && !shards.some(({ index }) => index === homeShard)) {
    const known = shards.map(({ index }) => index).join(", ");
    read.report("homeShard", homeShard, `must be the index of a shard of the ring (${known})`);
  }
}
