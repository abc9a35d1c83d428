import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flagList } from "../../../../components/kit/flags";
import { toYaml } from "../../../../components/kit/yaml";
import { toolPath } from "../../../../local/toolchain/build";
import { workloadTools } from "../../../../local/toolchain/table";
import { shardOrder } from "../../../../model/ring";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { GateMetrics } from "../../../../services/gate/gate-metrics";
import { Markers } from "../../../../services/gate/markers";
import { gateServer } from "../../../../services/gate/proxy";
import { parseConfig } from "../../../../stacks/config";
import { prometheusConfig, prometheusFlags } from "../../../../stacks/prometheus-plan";
import { realTools } from "../../components/rules/real-tools";
import { send, serve, type TestServer } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";

const { prometheus } = realTools;
const hub = toolPath(workloadTools.hub);
const scrapeSeconds = 2;
/** Seconds between pushes. */
const pushSeconds = 3;
const config = parseConfig({ createThanos: true, serversCount: 2, highAvailability: false });

let folder: string;
const children = new Map<string, ChildProcess>();
const servers: TestServer[] = [];
const hubPorts: number[] = [];
const prometheusUrls: string[] = [];
let exporter: Exporter;
let pushTo: TestServer;

async function freePort(): Promise<number> {
  const server = await serve(createServer());
  await server.close();
  return server.port;
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 600; waited += 1) {
    if (await look().catch(() => false)) return;
    await sleep(50);
  }
  throw new Error(`waited 30 s in vain: ${what}`);
}

async function startHub(shard: number): Promise<void> {
  const port = String(hubPorts[shard]);
  children.set(`hub-${String(shard)}`, spawn(hub, ["-logtostderr", `-port=${port}`], { stdio: "ignore" }));
  await until(`hub ${String(shard)}`, async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 200);
}

function signal(shard: number, name: NodeJS.Signals): void {
  children.get(`hub-${String(shard)}`)?.kill(name);
}

/** A shard as it is deployed, but for addresses and the scrape interval: hub, Prometheus, and the gate before it. */
async function startShard(shard: number): Promise<void> {
  hubPorts.push(await freePort());
  await startHub(shard);
  const own = join(folder, String(shard));
  mkdirSync(own);
  const planned = prometheusConfig(config, { shard, replica: "a" }) as {
    global: Record<string, unknown>;
    scrape_configs: Record<string, unknown>[];
  };
  const interval = `${String(scrapeSeconds)}s`;
  const [job] = planned.scrape_configs;
  const { dns_sd_configs: dropped, ...rest } = job ?? {};
  expect(dropped).toBeDefined();
  const file = join(own, "prometheus.yaml");
  writeFileSync(
    file,
    toYaml({
      ...planned,
      rule_files: [],
      global: { ...planned.global, scrape_interval: interval, scrape_timeout: interval },
      scrape_configs: [
        {
          ...rest,
          scrape_interval: interval,
          scrape_timeout: interval,
          static_configs: [{ targets: [`127.0.0.1:${String(hubPorts[shard])}`] }],
        },
      ],
    }),
  );
  const port = await freePort();
  const flags = {
    ...prometheusFlags(config),
    "config.file": file,
    "storage.tsdb.path": join(own, "data"),
    "web.listen-address": `127.0.0.1:${String(port)}`,
  };
  children.set(`prometheus-${String(shard)}`, spawn(prometheus ?? "", flagList(flags), { stdio: "ignore" }));
  const upstream = `http://127.0.0.1:${String(port)}`;
  prometheusUrls.push(upstream);
  await until(`Prometheus ${String(shard)}`, async () => (await fetch(`${upstream}/-/ready`)).status === 200);
  const metrics = new GateMetrics();
  const markers = new Markers({ upstream, metrics, labels: { cluster: config.clusterLabel, shard: String(shard) } });
  servers.push(await serve(gateServer({ upstream, metrics, draining: () => false, markers })));
}

beforeAll(async () => {
  if (prometheus === undefined || !existsSync(hub)) return;
  folder = mkdtempSync(join(tmpdir(), "moves-"));
  for (const shard of [0, 1]) await startShard(shard);
  exporter = createExporter(
    exporterConfigOf(
      hubPorts.map((port) => [`http://127.0.0.1:${String(port)}`]),
      { pushTimeoutMilliseconds: 700 },
      servers.map(({ url }) => [url]),
    ),
    { name: "e" },
  );
  pushTo = await serve(exporter.server);
});
afterAll(async () => {
  for (const child of children.values()) child.kill("SIGKILL");
  if (prometheus === undefined || !existsSync(hub)) return;
  await exporter.stop();
  await pushTo.close();
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** Keys of shard 0 and of shard 1. */
const keys = Array.from({ length: 12 }, (_, at) => `g${String(at)}`);
const ring = exporterConfigOf([["http://a"], ["http://b"]]);
const seriesPerKey = 3;
const ledger: { at: number; value: number; moved: boolean }[] = [];

/** One push of every gateway; the value is the same for all of them, and one more each time. */
async function push(moved: boolean): Promise<number> {
  const at = Date.now();
  const value = ledger.length + 1;
  const lines = keys.flatMap((key) => [
    `plain{gatewayID="${key}"} ${String(value)} ${String(at)}\n`,
    // Labels that the scrape job renames: the markers have to find them.
    `renamed{cluster="c",exported_job="y",gatewayID="${key}",instance="i:1",job="x",shard="9"} ${String(value)} ${String(at)}\n`,
    `quoted{gatewayID="${key}",text="a\\"b\\\\c\\nd é"} ${String(value)} ${String(at)}\n`,
  ]);
  const answer = await send(pushTo.url, "POST", "/metrics", { body: lines.join("") });
  expect(answer.status).toBe(200);
  ledger.push({ at, value, moved });
  return at;
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

async function range(shard: number, query: string, from: number, to: number, step: number): Promise<readonly Series[]> {
  const parameters = new URLSearchParams({
    query,
    start: String(from / 1000),
    end: String(to / 1000),
    step: String(step / 1000),
  });
  const answer = await fetch(`${prometheusUrls[shard] ?? ""}/api/v1/query_range?${parameters.toString()}`);
  const { data } = (await answer.json()) as { data: { result: readonly Series[] } };
  return data.result;
}

/** Sum over both shards at each step. */
async function sums(query: string, from: number, to: number, step: number): Promise<ReadonlyMap<number, number>> {
  const total = new Map<number, number>();
  for (const shard of [0, 1]) {
    for (const { values } of await range(shard, query, from, to, step)) {
      for (const [time, value] of values) {
        const at = Math.round(time * 1000);
        total.set(at, (total.get(at) ?? 0) + Number(value));
      }
    }
  }
  return total;
}

const all = '{__name__=~"plain|renamed|quoted"}';

/** Steps at which the number of series or their sum is not the ledger's; all pushes are taken to be scraped. */
async function wrongSteps(): Promise<readonly string[]> {
  const from = (ledger[0]?.at ?? 0) + 100;
  const to = ledger.at(-1)?.at ?? 0;
  const counts = await sums(`count(${all})`, from, to, 250);
  const values = await sums(`sum(${all})`, from, to, 250);
  const wrong: string[] = [];
  for (let at = from; at <= to; at += 250) {
    const due = ledger.findLast((each) => each.at <= at)?.value ?? 0;
    const found = [counts.get(at) ?? 0, values.get(at) ?? 0];
    const expected = [keys.length * seriesPerKey, keys.length * seriesPerKey * due];
    if (found.join() !== expected.join())
      wrong.push(`${String(at - from)}: ${found.join()} instead of ${expected.join()}`);
  }
  return wrong;
}

describe.skipIf(prometheus === undefined || !existsSync(hub))("real hubs and Prometheus servers", () => {
  it("a key that moves, comes back, and sits on both counts once at every step", async () => {
    const ownedBy0 = keys.filter((key) => shardOrder(ring, key)[0]?.index === 0);
    expect(ownedBy0.length).toBeGreaterThan(2);
    const pushes = async (count: number, moved: boolean): Promise<void> => {
      for (let at = 0; at < count; at += 1) {
        await push(moved);
        await sleep(pushSeconds * 1000);
      }
    };
    await pushes(3, false);
    // Dies between a scrape and the next push: what it had taken is stored.
    signal(0, "SIGKILL");
    await pushes(3, true);
    await startHub(0);
    await sleep(1500);
    await pushes(3, false);
    // Hangs: the pushes time out, go to the other shard, and are taken all the same when it wakes up.
    signal(0, "SIGSTOP");
    await pushes(2, true);
    signal(0, "SIGCONT");
    await sleep(2500);
    await pushes(3, false);
    await sleep(2 * scrapeSeconds * 1000);
    const markers = exporter.metrics.staleMarkers;
    expect(markers.value({ target_shard: "shard-0", target_replica: "a" })).toBeGreaterThanOrEqual(
      5 * ownedBy0.length * seriesPerKey,
    );
    expect(markers.value({ target_shard: "shard-1", target_replica: "a" })).toBeGreaterThan(0);
    const both = await Promise.all([0, 1].map((shard) => range(shard, "plain", ledger[0]?.at ?? 0, Date.now(), 1000)));
    // The keys have samples on both shards, so there was something to count twice.
    expect(both.map((found) => found.length)).toStrictEqual([ownedBy0.length, keys.length]);
    expect(await wrongSteps()).toStrictEqual([]);
    // Every value goes up by one with each push: a counter. Over one move, away or back, a push interval may be missing.
    for (const [first, last] of [
      [0, 5],
      [3, 8],
    ] as const) {
      const from = (ledger[first]?.at ?? 0) - 200;
      const at = (ledger[last]?.at ?? 0) + 200;
      const window = `${String(at - from)}ms`;
      const raised = last - first;
      for (const key of keys) {
        const found = (await sums(`sum(increase(plain{gatewayID="${key}"}[${window}]))`, at, at, 1000)).get(at) ?? 0;
        expect([key, first, Math.abs(found - raised) <= 1 || found]).toStrictEqual([key, first, true]);
      }
    }
  });
});
