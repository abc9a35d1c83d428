/** How each program of the query path is started. Engine, lookback and limits are the same for all, as in the program's own plan. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flagList, type Flags } from "../../components/kit/flags";
import { toYaml } from "../../components/kit/yaml";
import { PIPELINE_LABELS } from "../../model/names";
import { rootGateConfigText } from "../../model/root-gate-config";
import { CLUSTER } from "./windows";
import type { ProcessPlan } from "./processes";

const TIMEOUT = "2m";
const LOOKBACK = "5m";
/** Prometheus' own default. */
const MAX_SAMPLES = 50_000_000;
/** The data set is older than any sensible retention. */
const RETENTION_YEARS = 9;
/** Blocks are mapped and an empty WAL is replayed: seconds, but on a busy machine. */
const READY_SECONDS = 180;

/** Ports of one program on loopback. */
export interface Ports {
  readonly http: number;
  /** gRPC; Prometheus has none. */
  readonly grpc: number;
}

const local = (port: number): string => `127.0.0.1:${String(port)}`;
const url = (port: number): string => `http://${local(port)}`;

function write(folder: string, file: string, text: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, file);
  writeFileSync(path, text);
  return path;
}

/** A Prometheus over `data`. Blocks stay as they are: local compaction is off, so that no run finds others. */
export function prometheusPlan(name: string, shard: number, data: string, folder: string, port: number): ProcessPlan {
  const labels = {
    [PIPELINE_LABELS.cluster]: CLUSTER,
    [PIPELINE_LABELS.shard]: String(shard),
    [PIPELINE_LABELS.replica]: "a",
  };
  const config = write(folder, `${name}.yaml`, toYaml({ global: { external_labels: labels } }));
  const flags: Flags = {
    "config.file": config,
    "query.lookback-delta": LOOKBACK,
    "query.max-samples": MAX_SAMPLES,
    "query.timeout": TIMEOUT,
    "storage.remote.read-concurrent-limit": 160,
    "storage.tsdb.max-block-duration": "2h",
    "storage.tsdb.min-block-duration": "2h",
    "storage.tsdb.path": data,
    "storage.tsdb.retention.time": `${String(RETENTION_YEARS)}y`,
    "web.listen-address": local(port),
  };
  return {
    name,
    command: "prometheus",
    args: flagList(flags),
    readyUrl: `${url(port)}/-/ready`,
    readySeconds: READY_SECONDS,
  };
}

/** Flags that every Thanos program has. */
function thanosPlan(name: string, program: string, ports: Ports, flags: Flags): ProcessPlan {
  const grpc = program === "query-frontend" ? {} : { "grpc-address": local(ports.grpc), "grpc-grace-period": "1s" };
  return {
    name,
    command: "thanos",
    args: [program, ...flagList({ ...flags, ...grpc, "http-address": local(ports.http), "http-grace-period": "1s" })],
    readyUrl: `${url(ports.http)}/-/ready`,
    readySeconds: READY_SECONDS,
  };
}

export function sidecarPlan(name: string, prometheusPort: number, data: string, ports: Ports): ProcessPlan {
  return thanosPlan(name, "sidecar", ports, {
    "prometheus.url": url(prometheusPort),
    // Each time it reads and parses all of Prometheus' metrics, which would be counted as a query's CPU.
    "prometheus.get_config_interval": "10m",
    "tsdb.path": data,
  });
}

const QUERY_FLAGS: Flags = {
  "deduplication.func": "chain",
  "query.default-evaluation-interval": "1m",
  "query.lookback-delta": LOOKBACK,
  "query.partial-response": false,
  "query.replica-label": PIPELINE_LABELS.replica,
  "query.timeout": TIMEOUT,
  "store.response-timeout": TIMEOUT,
};

/** The root over leaves or adapters has its work done by them; the naive one fetches series; a leaf evaluates alone. */
export type QuerierKind = "naive" | "distributed" | "leaf";

export function querierPlan(
  name: string,
  kind: QuerierKind,
  endpoints: readonly number[],
  folder: string,
  ports: Ports,
): ProcessPlan {
  const file = write(
    folder,
    `${name}.yaml`,
    toYaml({ endpoints: endpoints.map((port) => ({ address: local(port), strict: true })) }),
  );
  const byKind: Readonly<Record<QuerierKind, Flags>> = {
    naive: { "query.promql-engine": "prometheus" },
    leaf: { "query.promql-engine": "thanos" },
    distributed: {
      "query.promql-engine": "thanos",
      "query.mode": "distributed",
      "query.partition-label": PIPELINE_LABELS.shard,
      "query.distributed-with-overlapping-interval": true,
    },
  };
  return thanosPlan(name, "query", ports, { ...QUERY_FLAGS, ...byKind[kind], "endpoint.sd-config-file": file });
}

/** The query frontend as the pipeline has it: results in memory, whole days. */
export function frontendPlan(name: string, rootPort: number, folder: string, ports: Ports): ProcessPlan {
  const cache = write(
    folder,
    `${name}-cache.yaml`,
    toYaml({ type: "IN-MEMORY", config: { max_size: "256MB", max_size_items: 0, validity: "0s" } }),
  );
  return thanosPlan(name, "query-frontend", ports, {
    "labels.partial-response": false,
    "labels.response-cache-config-file": cache,
    "query-frontend.downstream-url": url(rootPort),
    "query-range.partial-response": false,
    "query-range.response-cache-config-file": cache,
    "query-range.split-interval": "24h",
  });
}

/** The push-down adapter of one shard, from the bundle that runs in the cluster. Its file: model/adapter-config.ts. */
export function adapterPlan(
  name: string,
  bundle: string,
  shard: number,
  upstream: { readonly prometheus: number; readonly leaf: number },
  folder: string,
  ports: Ports,
): ProcessPlan {
  const config = {
    cluster: CLUSTER,
    shard: String(shard),
    replicaLabel: PIPELINE_LABELS.replica,
    replicas: [{ name: "a", url: url(upstream.prometheus) }],
    leaf: url(upstream.leaf),
    hasBucket: false,
    retentionSeconds: RETENTION_YEARS * 365 * 86_400,
    lookbackSeconds: 300,
    timeoutSeconds: 120,
    maxSamples: MAX_SAMPLES,
    settleSeconds: 120,
    maxAgeSeconds: 0,
    maxFutureSeconds: 0,
  };
  const file = write(folder, `${name}.json`, `${JSON.stringify(config, undefined, 2)}\n`);
  return {
    name,
    command: process.execPath,
    args: [bundle, "adapter", "--config", file, "--listen", local(ports.grpc), "--ops", local(ports.http)],
    readyUrl: `${url(ports.http)}/-/ready`,
    readySeconds: READY_SECONDS,
  };
}

/** The gate before a root, which asks the shards at `endpoints` for series by itself. */
export function gatePlan(
  name: string,
  bundle: string,
  root: { readonly port: number; readonly endpoints: readonly number[] },
  folder: string,
  ports: Ports,
): ProcessPlan {
  const endpoints = root.endpoints.map((port, shard) => ({ shard: String(shard), address: local(port) }));
  const file = write(folder, `${name}.json`, rootGateConfigText({ endpoints }));
  const addresses = ["--listen", local(ports.grpc), "--ops", local(ports.http), "--upstream", url(root.port)];
  return {
    name,
    command: process.execPath,
    args: [bundle, "root-gate", "--config", file, ...addresses],
    readyUrl: `${url(ports.http)}/-/ready`,
    readySeconds: READY_SECONDS,
  };
}
