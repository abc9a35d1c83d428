/** One unsharded Prometheus, and the whole query path over shards that hold the same samples, as local processes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flagList, type Flags } from "../../components/kit/flags";
import { toYaml } from "../../components/kit/yaml";
import type { AdapterConfig } from "../../model/adapter-config";
import { PIPELINE_LABELS } from "../../model/names";
import { rootGateConfigText } from "../../model/root-gate-config";
import { parseConfig } from "../../stacks/config";
import { prometheusFlags, sidecarFlags } from "../../stacks/prometheus-plan";
import { buildTopology } from "../../stacks/topology";
import { RealShards, type Programs } from "../unit/services/adapter/real-shards";
import { missing, type PlacedSeries } from "./fleet";
import { write, type Sample, type SampledSeries } from "./samples";

const repository = join(__dirname, "../..");
/** Longer than the whole time line. */
const RETENTION_DAYS = 30;
const HOUR = 3_600_000;

/** Who is asked. */
export interface World {
  readonly oracle: string;
  /** The root through its gate, and the query frontend before it. */
  readonly root: string;
  readonly frontend: string;
  /** Base URLs of the adapters' metrics, by shard. */
  readonly adapters: readonly string[];
  readonly processes: RealShards;
}

/** Where everything is on the time line; seconds since the epoch. */
export interface TimeLine {
  /** The first sample of all. */
  readonly first: number;
  /** Of the fleet's data. */
  readonly start: number;
  readonly end: number;
}

function without(series: readonly PlacedSeries[], from: number, to: number): readonly PlacedSeries[] {
  return series.map(({ shard, labels, samples }) => ({
    shard,
    labels,
    samples: samples.filter(({ time }) => time < from || time > to),
  }));
}

/** What an exporter writes with each push: the adapters see by it which replica misses something. */
function pushBatches(shard: number, { first, end }: TimeLine): PlacedSeries {
  const samples: Sample[] = [];
  for (let time = first - 3600; time <= end; time += 60) samples.push({ time: time * 1000, value: samples.length });
  const labels = { __name__: "pipeline_push_batch", exporter: "e0", cluster: "main", shard: String(shard) };
  return { shard, labels, samples };
}

/** Starts everything with the flags that the program deploys; only addresses and folders are other ones. */
class WorldBuilder {
  readonly #topology;
  readonly #config;

  constructor(
    readonly processes: RealShards,
    readonly shards: number,
  ) {
    this.#config = parseConfig({
      createThanos: true,
      serversCount: shards,
      highAvailability: true,
      retention: { sharded: `${String(RETENTION_DAYS)}d` },
    });
    this.#topology = buildTopology(this.#config, {});
  }

  async prometheus(name: string, series: readonly SampledSeries[], labels: Readonly<Record<string, string>>) {
    const folder = join(this.processes.folder, name);
    mkdirSync(folder);
    const port = await this.processes.port();
    const file = join(folder, "prometheus.yaml");
    writeFileSync(file, toYaml({ global: Object.keys(labels).length === 0 ? {} : { external_labels: labels } }));
    const flags: Flags = {
      ...prometheusFlags(this.#config),
      "config.file": file,
      // No block is cut while queries run.
      "storage.tsdb.max-block-duration": `${String(2 * RETENTION_DAYS)}d`,
      "storage.tsdb.min-block-duration": `${String(2 * RETENTION_DAYS)}d`,
      "storage.tsdb.path": join(folder, "data"),
      "storage.tsdb.retention.time": `${String(RETENTION_DAYS)}d`,
      "web.remote-write-receiver.accepted-protobuf-messages": "prometheus.WriteRequest",
      "web.listen-address": `127.0.0.1:${String(port)}`,
    };
    await this.processes.start(name, this.processes.programs.prometheus, flagList(flags), port);
    const url = `http://127.0.0.1:${String(port)}`;
    await write(url, series, HOUR);
    return url;
  }

  async sidecar(name: string, prometheus: string): Promise<string> {
    const { grpc, http, flags } = await this.#ports();
    const more: Flags = { ...sidecarFlags(), ...flags, "prometheus.url": prometheus, "tsdb.path": this.#folder(name) };
    await this.#thanos(name, "sidecar", more, http);
    return `127.0.0.1:${String(grpc)}`;
  }

  /** The leaf and the adapter of a shard; addresses of the adapter's gRPC and metrics. */
  async leaf(shard: number, replicas: AdapterConfig["replicas"]) {
    const planned = this.#topology.shards[shard]?.leaf;
    if (planned === undefined) throw new Error(`no leaf of shard ${String(shard)} in the topology`);
    const sidecars = await Promise.all(
      replicas.map(({ name, url }) => this.sidecar(`sidecar-${String(shard)}-${name}`, url ?? "")),
    );
    const { grpc, http, flags } = await this.#ports();
    const name = `leaf-${String(shard)}`;
    const file = join(this.#folder(name), "endpoints.yaml");
    writeFileSync(file, toYaml({ endpoints: sidecars.map((address) => ({ address })) }));
    await this.#thanos(name, "query", { ...planned.flags, ...flags, "endpoint.sd-config-file": file }, http);
    const config: AdapterConfig = { ...planned.adapter, replicas, leaf: `http://127.0.0.1:${String(grpc)}` };
    return this.processes.adapter(`adapter-${String(shard)}`, config);
  }

  /** The root behind its gate; the gate's base URL. */
  async root(addresses: readonly string[]): Promise<string> {
    const planned = this.#topology.querier;
    const { endpoints = [] } = planned?.endpoints as { readonly endpoints?: readonly object[] };
    const { http, flags } = await this.#ports();
    const file = join(this.#folder("root"), "endpoints.yaml");
    writeFileSync(file, toYaml({ endpoints: addresses.map((address, shard) => ({ ...endpoints[shard], address })) }));
    await this.#thanos("root", "query", { ...planned?.flags, ...flags, "endpoint.sd-config-file": file }, http);
    const [port, ops] = [await this.processes.port(), await this.processes.port()];
    const expected = join(this.processes.folder, "expected.json");
    const seen = addresses.map((address, shard) => ({ shard: String(shard), address }));
    writeFileSync(expected, rootGateConfigText({ endpoints: seen }));
    const gate: Flags = {
      config: expected,
      listen: `127.0.0.1:${String(port)}`,
      ops: `127.0.0.1:${String(ops)}`,
      upstream: `http://127.0.0.1:${String(http)}`,
    };
    const program = join(repository, "services/main.ts");
    const args = ["--require", "tsx/cjs", program, "root-gate", ...flagList(gate)];
    await this.processes.start("gate", process.execPath, args, ops, repository);
    return `http://127.0.0.1:${String(port)}`;
  }

  async frontend(root: string): Promise<string> {
    const port = await this.processes.port();
    const flags: Flags = {
      ...this.#topology.queryFrontend?.flags,
      "http-address": `127.0.0.1:${String(port)}`,
      "query-frontend.downstream-url": root,
    };
    await this.#thanos("frontend", "query-frontend", flags, port);
    return `http://127.0.0.1:${String(port)}`;
  }

  #folder(name: string): string {
    const folder = join(this.processes.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  async #ports() {
    const [grpc, http] = [await this.processes.port(), await this.processes.port()];
    const flags: Flags = {
      "grpc-address": `127.0.0.1:${String(grpc)}`,
      "http-address": `127.0.0.1:${String(http)}`,
    };
    return { grpc, http, flags };
  }

  async #thanos(name: string, program: string, flags: Flags, port: number): Promise<void> {
    await this.processes.start(name, this.processes.programs.thanos, [program, ...flagList(flags)], port);
  }
}

/** @param series Without push batches, which are added. Replicas of shard 0 each miss a stretch of the fleet's data. */
export async function startWorld(
  programs: Programs,
  shards: number,
  series: readonly PlacedSeries[],
  line: TimeLine,
): Promise<World> {
  const processes = new RealShards(programs);
  try {
    const builder = new WorldBuilder(processes, shards);
    const indices = Array.from({ length: shards }, (_, shard) => shard);
    const all = [...series, ...indices.map((shard) => pushBatches(shard, line))];
    const at = (seconds: number) => (line.start + seconds) * 1000;
    const oracle = await builder.prometheus("oracle", all, {});
    const adapters: { readonly grpc: string; readonly ops: string }[] = [];
    for (const shard of indices) {
      const held = all.filter((each) => each.shard === shard);
      const replicas: { readonly name: "a" | "b"; readonly url: string }[] = [];
      for (const name of ["a", "b"] as const) {
        const labels = {
          [PIPELINE_LABELS.cluster]: "main",
          [PIPELINE_LABELS.shard]: String(shard),
          [PIPELINE_LABELS.replica]: name,
        };
        const [from, to] = missing[name];
        const kept = shard === 0 ? without(held, at(from), at(to)) : held;
        replicas.push({ name, url: await builder.prometheus(`prometheus-${String(shard)}-${name}`, kept, labels) });
      }
      adapters.push(await builder.leaf(shard, replicas));
    }
    const root = await builder.root(adapters.map(({ grpc }) => grpc));
    const frontend = await builder.frontend(root);
    return { oracle, root, frontend, adapters: adapters.map(({ ops }) => ops), processes };
  } catch (error) {
    await processes.stop();
    throw error;
  }
}
