import { ConfigFileError, ConfigReader, parseJson } from "./config-reader";

/**
 * The push-down adapter's configuration file: what the program writes into a content-named ConfigMap and the adapter
 * reads once at its start. Both sides use this module, so that they cannot disagree about a key.
 */

/** One replica of the shard. */
export interface AdapterReplica {
  /** Value of the replica label in its external labels: `a`, `b`, `ruler-a`. */
  readonly name: string;
  /**
   * Base URL of its Prometheus (of the gate before it), scheme `http`, without path. Absent: it has none that answers
   * PromQL, as a Ruler, and is reached through the leaf only.
   */
  readonly url?: string;
}

export interface AdapterConfig {
  /** Value of the label `cluster`. */
  readonly cluster: string;
  /** Value of the label `shard`, which the roots partition by: `0`, `1`, ..., `ruler`. */
  readonly shard: string;
  /** Label of external_labels that tells replicas apart (`prometheus_replica`). */
  readonly replicaLabel: string;
  /** Replicas with a disk of their own: none to two. None: a retired shard whose history is only in the bucket. */
  readonly replicas: readonly AdapterReplica[];
  /** Base URL of the shard's leaf Querier's gRPC port, scheme `http`, without path. */
  readonly leaf: string;
  /** Whether the leaf also has blocks of a bucket behind it, which may be older than what is on the replicas' disks. */
  readonly hasBucket: boolean;
  /** How long the replicas keep samples on their disks, in seconds: `storage.tsdb.retention.time`. */
  readonly retentionSeconds: number;
  /** `query.lookback-delta` of roots, leaf and Prometheus, in seconds. */
  readonly lookbackSeconds: number;
  /** `query.timeout` of roots, leaf and Prometheus, in seconds. */
  readonly timeoutSeconds: number;
  /** `query.max-samples` of the shard's Prometheus. A query is cut so that each part is expected to need half of it. */
  readonly maxSamples: number;
  /**
   * After how many seconds a push is on both replicas, when both are well: a scrape interval, and the longest scrape. A
   * replica that lacks an older push batch which the other one has is not asked; for a younger one only when it has
   * a batch that the same exporter wrote 4 s later.
   */
  readonly settleSeconds: number;
  /** How much older than the push that brings it a sample may be, in seconds: a replica that misses a push may lack it. */
  readonly maxAgeSeconds: number;
  /** How far ahead of its push a sample may be, in seconds. */
  readonly maxFutureSeconds: number;
}

/** All that is wrong with an adapter's configuration; one line per problem: key, value, rule, fix. */
export class AdapterConfigError extends ConfigFileError {
  constructor(problems: readonly string[]) {
    super("adapter", problems);
    this.name = "AdapterConfigError";
  }
}

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const labelValue = /^[\x21-\x7e]{1,128}$/;
const tenYears = 10 * 366 * 86_400;

/**
 * Checks the parsed JSON of a configuration file.
 * @throws AdapterConfigError with every problem at once.
 */
export function parseAdapterConfig(value: unknown): AdapterConfig {
  const read = new ConfigReader();
  const root = read.object("(root)", value, [
    "cluster",
    "shard",
    "replicaLabel",
    "replicas",
    "leaf",
    "hasBucket",
    "retentionSeconds",
    "lookbackSeconds",
    "timeoutSeconds",
    "maxSamples",
    "settleSeconds",
    "maxAgeSeconds",
    "maxFutureSeconds",
  ]);
  const rule = "1 to 128 printable characters without blanks";
  const config: AdapterConfig = {
    cluster: read.text("cluster", root["cluster"], labelValue, rule),
    shard: read.text("shard", root["shard"], labelValue, rule),
    replicaLabel: read.text("replicaLabel", root["replicaLabel"], labelName, "a label name"),
    replicas: read
      .list("replicas", root["replicas"], 0, 2)
      .map((replica, at) => readReplica(read, `replicas[${String(at)}]`, replica)),
    leaf: read.baseUrl("leaf", root["leaf"], "http://leaf-shard-0:10901"),
    hasBucket: read.boolean("hasBucket", root["hasBucket"]),
    retentionSeconds: read.integer("retentionSeconds", root["retentionSeconds"], 60, tenYears),
    lookbackSeconds: read.integer("lookbackSeconds", root["lookbackSeconds"], 1, 86_400),
    timeoutSeconds: read.integer("timeoutSeconds", root["timeoutSeconds"], 1, 3_600),
    maxSamples: read.integer("maxSamples", root["maxSamples"], 1_000, 5_000_000_000),
    settleSeconds: read.integer("settleSeconds", root["settleSeconds"], 1, 3_600),
    maxAgeSeconds: read.integer("maxAgeSeconds", root["maxAgeSeconds"], 0, 366 * 86_400),
    maxFutureSeconds: read.integer("maxFutureSeconds", root["maxFutureSeconds"], 0, 600),
  };
  checkTogether(read, config);
  if (read.problems.length > 0) throw new AdapterConfigError(read.problems);
  return config;
}

/**
 * Reads a configuration file's text.
 * @throws AdapterConfigError when it is not JSON, or with every problem of the configuration.
 */
export function parseAdapterConfigText(text: string): AdapterConfig {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new AdapterConfigError([problem]);
  return parseAdapterConfig(value);
}

/** The file's text: checked, keys always in the same order, so that equal configurations give equal bytes. */
export function adapterConfigText(config: AdapterConfig): string {
  return `${JSON.stringify(parseAdapterConfig(config), null, 2)}\n`;
}

function readReplica(read: ConfigReader, key: string, value: unknown): AdapterReplica {
  const fields = read.object(key, value, ["name", "url"]);
  const name = read.text(`${key}.name`, fields["name"], labelValue, "the value of the replica label, such as a");
  if (fields["url"] === undefined) return { name };
  return { name, url: read.baseUrl(`${key}.url`, fields["url"], "http://prometheus-shard-0-a:9090") };
}

/** Rules over more than one key. */
function checkTogether(read: ConfigReader, { replicas, replicaLabel, hasBucket }: AdapterConfig): void {
  const names = replicas.map((replica) => replica.name);
  if (new Set(names).size !== names.length) read.report("replicas", names, "names must differ");
  const urls = replicas.flatMap(({ url }) => (url === undefined || url === "" ? [] : [url]));
  if (new Set(urls).size !== urls.length) read.report("replicas", urls, "URLs must differ");
  if (replicaLabel === "cluster" || replicaLabel === "shard") {
    read.report("replicaLabel", replicaLabel, "is a label of every series; a replica label is in external_labels only");
  }
  if (Array.isArray(replicas) && replicas.length === 0 && !hasBucket) {
    read.report("replicas", replicas, "without replicas there must be a bucket (hasBucket: true)");
  }
}
