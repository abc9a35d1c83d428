import { ConfigFileError, ConfigReader, parseJson } from "./config-reader";
import { ringVersion, type RingShard } from "./ring";

/**
 * The placement's configuration file: what the program writes into a content-named ConfigMap and the writer of the table
 * reads once at its start. Both sides use this module, so that they cannot disagree about a key.
 */

export interface PlacementConfig {
  /** Version of the ring without pins: exporters take no table of another one. */
  readonly version: string;
  readonly shardLabel: string;
  readonly homeShard: number;
  readonly shards: readonly RingShard[];
  /** Host and port at which every exporter answers, the host with an address for each: `exporter-pods.example.svc:8080`. */
  readonly exporters: string;
  /** Exporters that should answer; from fewer no series are taken. */
  readonly exporterReplicas: number;
  /** How long a series stays visible after its last sample, in milliseconds (`query.lookbackDelta`). */
  readonly lookbackMilliseconds: number;
}

/** All that is wrong with a placement's configuration; one line per problem: key, value, rule, fix. */
export class PlacementConfigError extends ConfigFileError {
  constructor(problems: readonly string[]) {
    super("placement", problems);
    this.name = "PlacementConfigError";
  }
}

const KEYS = ["version", "shardLabel", "homeShard", "shards", "exporters", "exporterReplicas", "lookbackMilliseconds"];

/**
 * Checks the parsed JSON of a configuration file.
 * @throws PlacementConfigError with every problem at once.
 */
export function parsePlacementConfig(value: unknown): PlacementConfig {
  const read = new ConfigReader();
  const root = read.object("(root)", value, KEYS);
  const config: PlacementConfig = {
    version: read.text("version", root["version"], /^[0-9a-f]{16}$/, "16 hexadecimal digits"),
    shardLabel: read.text("shardLabel", root["shardLabel"], /^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label name"),
    homeShard: read.integer("homeShard", root["homeShard"], 0, 63),
    shards: read.list("shards", root["shards"], 1, 64).map((entry, at) => {
      const key = `shards[${String(at)}]`;
      const shard = read.object(key, entry, ["index", "name"]);
      return {
        index: read.integer(`${key}.index`, shard["index"], 0, 63),
        name: read.text(`${key}.name`, shard["name"], /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "a DNS label"),
      };
    }),
    exporters: read.text("exporters", root["exporters"], /^[a-z0-9.-]+:[0-9]{1,5}$/, "host:port"),
    exporterReplicas: read.integer("exporterReplicas", root["exporterReplicas"], 1, 32),
    lookbackMilliseconds: read.integer("lookbackMilliseconds", root["lookbackMilliseconds"], 1_000, 86_400_000),
  };
  if (read.problems.length === 0) {
    const expected = ringVersion(config);
    if (config.version !== expected) read.report("version", config.version, `must be ${expected}, that of this ring`);
    if (!config.shards.some(({ index }) => index === config.homeShard)) {
      read.report("homeShard", config.homeShard, "must be the index of a shard of the ring");
    }
  }
  if (read.problems.length > 0) throw new PlacementConfigError(read.problems);
  return config;
}

/**
 * Reads a configuration file's text.
 * @throws PlacementConfigError when it is not JSON, or with every problem of the configuration.
 */
export function parsePlacementConfigText(text: string): PlacementConfig {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new PlacementConfigError([problem]);
  return parsePlacementConfig(value);
}

/** The file's text: checked, keys always in the same order, so that equal configurations give equal bytes. */
export function placementConfigText(config: PlacementConfig): string {
  const checked = parsePlacementConfig(config);
  const { version, shardLabel, homeShard, shards, exporters, exporterReplicas, lookbackMilliseconds } = checked;
  const ring = { version, shardLabel, homeShard, shards: shards.map(({ index, name }) => ({ index, name })) };
  return `${JSON.stringify({ ...ring, exporters, exporterReplicas, lookbackMilliseconds }, null, 2)}\n`;
}
