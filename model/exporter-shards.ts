import type { ConfigReader, Fields } from "./config-reader";
import type { ReplicaLetter } from "./names";

/** The shards in the exporter's configuration file: those that it pushes to, and those that it used to push to. */

/** One edge hub: the only writer's door to one Prometheus replica. */
export interface ExporterHub {
  /** Replica of the shard that scrapes this hub. */
  readonly replica: ReplicaLetter;
  /** Base URL of the hub, scheme `http`, without path: `http://hub-shard-0-a.scaled-prometheus.svc:9091`. */
  readonly url: string;
  /**
   * Base URL, like `url`, of the Prometheus that scrapes this hub, on the gate's port for exporters
   * (`http://prometheus-shard-0-a.scaled-prometheus.svc:9096`): tells which writes are stored, and takes staleness markers.
   * All hubs of a shard have one, or none; of a shard without, nothing is kept, sent again or ended.
   */
  readonly prometheusUrl?: string | undefined;
}

/** One shard of the ring. */
export interface ExporterShard {
  /** Number of the shard, 0..63; breaks ties between equal scores. */
  readonly index: number;
  /** Name that is hashed (`shard-0`). Renaming a shard moves its keys. */
  readonly name: string;
  /** Hubs of the shard, one per Prometheus replica: one or two. */
  readonly hubs: readonly ExporterHub[];
}

/** One Prometheus of a shard that left the ring. */
export interface RetiredReplica {
  readonly replica: ReplicaLetter;
  /** As {@link ExporterHub.prometheusUrl}: takes staleness markers. */
  readonly prometheusUrl: string;
}

/** A shard that left the ring and is still asked: it gets no samples, but series that it held are ended there. */
export interface RetiredExporterShard {
  /** Number of the shard, 0..63; not one of the ring's. */
  readonly index: number;
  readonly name: string;
  /** Its Prometheus replicas: one or two. */
  readonly replicas: readonly RetiredReplica[];
}

/** All shards of a configuration. */
export interface ExporterShards {
  /** The ring: shards 0..serversCount-1, without the retired ones. */
  readonly shards: readonly ExporterShard[];
  /** Shards that left the ring and whose Prometheus still runs. Absent: none. */
  readonly retired?: readonly RetiredExporterShard[];
}

/** DNS-1123 label: the name is also part of object names. */
const shardName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const anyPrometheus = "http://prometheus-shard-0-a:9096";

/** Reads the keys `shards` and `retired` of a configuration, and checks each shard by itself. */
export function readExporterShards(read: ConfigReader, shards: unknown, retired: unknown): ExporterShards {
  return {
    shards: read.list("shards", shards, 1, 64).map((shard, at) => readShard(read, `shards[${String(at)}]`, shard)),
    ...(retired === undefined
      ? {}
      : {
          retired: read
            .list("retired", retired, 1, 63)
            .map((shard, at) => readRetired(read, `retired[${String(at)}]`, shard)),
        }),
  };
}

function readShard(read: ConfigReader, key: string, value: unknown): ExporterShard {
  const shard = read.object(key, value, ["index", "name", "hubs"]);
  return {
    ...readName(read, key, shard),
    hubs: read
      .list(`${key}.hubs`, shard["hubs"], 1, 2)
      .map((hub, at) => readHub(read, `${key}.hubs[${String(at)}]`, hub)),
  };
}

function readRetired(read: ConfigReader, key: string, value: unknown): RetiredExporterShard {
  const shard = read.object(key, value, ["index", "name", "replicas"]);
  return {
    ...readName(read, key, shard),
    replicas: read.list(`${key}.replicas`, shard["replicas"], 1, 2).map((each, at) => {
      const place = `${key}.replicas[${String(at)}]`;
      const replica = read.object(place, each, ["replica", "prometheusUrl"]);
      return {
        replica: readReplica(read, `${place}.replica`, replica["replica"]),
        prometheusUrl: read.baseUrl(`${place}.prometheusUrl`, replica["prometheusUrl"], anyPrometheus),
      };
    }),
  };
}

function readName(read: ConfigReader, key: string, shard: Fields): Pick<ExporterShard, "index" | "name"> {
  return {
    index: read.integer(`${key}.index`, shard["index"], 0, 63),
    name: read.text(`${key}.name`, shard["name"], shardName, "a DNS label like shard-0"),
  };
}

function readHub(read: ConfigReader, key: string, value: unknown): ExporterHub {
  const hub = read.object(key, value, ["replica", "url", "prometheusUrl"]);
  return {
    replica: readReplica(read, `${key}.replica`, hub["replica"]),
    url: read.baseUrl(`${key}.url`, hub["url"], "http://hub-shard-0-a:9091"),
    ...(hub["prometheusUrl"] === undefined
      ? {}
      : { prometheusUrl: read.baseUrl(`${key}.prometheusUrl`, hub["prometheusUrl"], anyPrometheus) }),
  };
}

function readReplica(read: ConfigReader, key: string, value: unknown): ReplicaLetter {
  if (value !== "a" && value !== "b") read.report(key, value, 'must be "a" or "b"');
  return value === "b" ? "b" : "a";
}

/** Rules over more than one shard or replica. */
export function checkExporterShards(read: ConfigReader, { shards, retired = [] }: ExporterShards): void {
  const all = [...shards, ...retired];
  const replicas = [...shards.flatMap(({ hubs }) => hubs), ...retired.flatMap((shard) => shard.replicas)];
  for (const [what, values] of [
    ["index", all.map(({ index }) => index)],
    ["name", all.map(({ name }) => name)],
    ["hub url", shards.flatMap(({ hubs }) => hubs.map(({ url }) => url))],
    ["prometheusUrl", replicas.map(({ prometheusUrl }) => prometheusUrl ?? "")],
  ] as const) {
    const repeated = values.find((value, at) => value !== "" && values.indexOf(value as never) !== at);
    if (repeated !== undefined) read.report("shards", repeated, `${what} is used twice; each must be unique`);
  }
  for (const { name, hubs } of shards) {
    checkReplicas(read, `shards (${name}).hubs`, hubs);
    const asked = hubs.filter(({ prometheusUrl }) => prometheusUrl !== undefined).length;
    if (asked > 0 && asked < hubs.length) {
      read.report(`shards (${name}).hubs`, asked, "either every hub of a shard has a prometheusUrl, or none");
    }
  }
  for (const shard of retired) checkReplicas(read, `retired (${shard.name}).replicas`, shard.replicas);
}

function checkReplicas(
  read: ConfigReader,
  key: string,
  replicas: readonly { readonly replica: ReplicaLetter }[],
): void {
  const letters = replicas.map(({ replica }) => replica);
  if (new Set(letters).size !== letters.length) read.report(key, letters, "replicas must differ");
}

/** The same shards, keys always in the same order. */
export function orderedExporterShards({ shards, retired }: ExporterShards): ExporterShards {
  return {
    shards: shards.map(({ index, name, hubs }) => ({
      index,
      name,
      hubs: hubs.map(({ replica, url, prometheusUrl }) => ({ replica, url, ...optional({ prometheusUrl }) })),
    })),
    ...(retired === undefined
      ? {}
      : {
          retired: retired.map(({ index, name, replicas }) => ({
            index,
            name,
            replicas: replicas.map(({ replica, prometheusUrl }) => ({ replica, prometheusUrl })),
          })),
        }),
  };
}

/** Without `prometheusUrl` where there is none. */
function optional({ prometheusUrl }: Pick<ExporterHub, "prometheusUrl">): Pick<ExporterHub, "prometheusUrl"> {
  return prometheusUrl === undefined ? {} : { prometheusUrl };
}
