import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ExporterConfig } from "../../../../model/exporter-config";
import { tableText } from "../../../../model/placement-table";
import { shardOrder } from "../../../../model/ring";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { HubClient } from "../../../../services/exporter/hub-client";
import { Placement, type PlacementTimes } from "../../../../services/placement/placement";
import { TableStore } from "../../../../services/placement/table-store";
import { opsServer } from "../../../../services/plumbing/ops-server";
import { exporterConfigOf } from "../exporter/exporter-config-of";
import { FakeHub, send, serve, type Answer, type TestServer } from "../http-helpers";
import { placementConfigOf } from "./tables";

/** Everything faster than in a cluster; a gateway's minute is left out. */
const times: Partial<PlacementTimes> = { failovers: 50, series: 100, settled: 0 };
const config = placementConfigOf(2);
/** Gateways of one shard, so that half of them have to go to the other. */
const keys = Array.from({ length: 200 }, (_, at) => `g${String(at)}`)
  .filter((key) => shardOrder(config, key)[0]?.index === 0)
  .slice(0, 30);
const seriesPerKey = 100;

/** An exporter with both of its ports. */
interface Pod {
  readonly exporter: Exporter;
  readonly push: TestServer;
  readonly ops: TestServer;
  /** Shards that it is cut off from. */
  readonly cutOff: Set<string>;
}

let folder: string;
let hubs: readonly FakeHub[];
let pods: Pod[];
let writer: { readonly placement: Placement; readonly server: TestServer } | undefined;
let port: number;

/** Waits until something holds, 20 seconds at most: these tests get what the machine has left. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const start = Date.now(); !(await condition());) {
    if (Date.now() - start > 20_000) throw new Error("waited 20 seconds in vain");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** `notice`: long enough for both exporters where a test looks at the moment of the change. */
async function startWriter(data = "data", notice = 1_000): Promise<Placement> {
  const find = () => Promise.resolve(pods.map(({ ops }) => ops.url));
  const placement = new Placement(config, new TableStore(join(folder, data)), { find, times: { ...times, notice } });
  const server = await serve(placement.server, port);
  port = server.port;
  writer = { placement, server };
  await placement.start();
  return placement;
}

async function stopWriter(): Promise<void> {
  writer?.placement.stop();
  await writer?.server.close();
  writer = undefined;
}

async function startPod(): Promise<Pod> {
  const cutOff = new Set<string>();
  const exporterConfig: ExporterConfig = {
    ...exporterConfigOf(hubs.map(({ url }) => [url])),
    version: config.version,
    placementUrl: `http://127.0.0.1:${String(port)}`,
    limits: { maxBodyBytes: 1_048_576, maxMessageBytes: 1_048_576, maxFutureSeconds: 60, maxAgeSeconds: 1500 },
    pushTimeoutMilliseconds: 5_000,
  };
  const exporter = createExporter(exporterConfig, {
    name: `e${String(pods.length)}`,
    makeHub: (hub, onRetry) => {
      const client = new HubClient(hub, 5_000, onRetry);
      return {
        push: (body) =>
          cutOff.has(hub.url)
            ? Promise.resolve({ kind: "failed", failure: "refused", detail: "cut off" })
            : client.push(body),
        probe: () => (cutOff.has(hub.url) ? Promise.resolve(false) : client.probe()),
      };
    },
  });
  const ops = opsServer({ notReady: exporter.notReady, metrics: () => "", pages: exporter.pages });
  const pod = { exporter, push: await serve(exporter.server), ops: await serve(ops), cutOff };
  pods.push(pod);
  return pod;
}

/** The `at`-th pod, which must be there. */
function pod(at: number): Pod {
  const found = pods[at];
  if (found === undefined) throw new Error(`no pod ${String(at)}`);
  return found;
}

const push = ({ push: { url } }: Pod, lines: readonly string[]): Promise<Answer> =>
  send(url, "POST", "/metrics", { body: lines.map((line) => `${line}\n`).join("") });

/** Pushes the whole fleet, half of it through each exporter. */
async function pushFleet(): Promise<void> {
  const now = Date.now();
  const lines = (key: string) =>
    Array.from({ length: seriesPerKey }, (_, n) => `m{gatewayID="${key}",n="${String(n)}"} 1 ${String(now)}`);
  const answers = await Promise.all(
    [0, 1].map((half) =>
      push(
        pod(half),
        keys.filter((_, at) => at % 2 === half).flatMap((key) => lines(key)),
      ),
    ),
  );
  expect(answers.map(({ status }) => status)).toStrictEqual([200, 200]);
}

/** Which shard takes a sample of a key now, through one exporter. */
async function takerOf(through: Pod, key: string): Promise<number> {
  const line = `probe{at="${String(Math.random())}",gatewayID="${key}"} 1 ${String(Date.now())}`;
  expect((await push(through, [line])).status).toBe(200);
  return hubs.findIndex(({ stored }) => stored.some((body) => body.includes(line)));
}

const table = () => {
  const current = writer?.placement.table;
  if (current === undefined) throw new Error("no table");
  return current;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "placement-"));
  hubs = await Promise.all([new FakeHub().start(), new FakeHub().start()]);
  pods = [];
  port = 0;
  await startWriter();
  await startPod();
  await startPod();
  await until(() => pods.every(({ exporter }) => exporter.notReady() === undefined));
});
afterEach(async () => {
  await stopWriter();
  await Promise.all(pods.map(({ exporter }) => exporter.stop()));
  await Promise.all(pods.flatMap(({ push: server, ops }) => [server.close(), ops.close()]));
  await Promise.all(hubs.map((hub) => hub.stop()));
  rmSync(folder, { recursive: true, force: true });
});

/** A pinned key, once the pins are in effect everywhere. */
async function placed(): Promise<string> {
  await pushFleet();
  await until(() => table().pins.size > 0);
  const [key = ""] = table().pins.keys();
  await until(() => Date.now() > table().effectiveAt);
  await until(async () => (await takerOf(pod(0), key)) === 1 && (await takerOf(pod(1), key)) === 1);
  return key;
}

describe("the placement over HTTP", () => {
  it("serves a table at once, so that exporters of a cluster that has just started are ready", () => {
    expect([table().pins.size, writer?.placement.notReady]).toStrictEqual([0, undefined]);
  });

  it("moves what is too much for a shard, and both exporters change at the same moment", async () => {
    await stopWriter();
    await startWriter("data", 3_000);
    await pushFleet();
    await until(() => table().pins.size > 0);
    const { effectiveAt, pins, moved } = table();
    expect(effectiveAt).toBeGreaterThan(Date.now());
    const [key = ""] = pins.keys();
    const seen: { exporter: number; sent: number; answered: number; taker: number }[] = [];
    while (Date.now() < effectiveAt + 1_500) {
      for (const exporter of [0, 1]) {
        const sent = Date.now();
        const taker = await takerOf(pod(exporter), key);
        seen.push({ exporter, sent, answered: Date.now(), taker });
      }
    }
    for (const { sent, answered, taker } of seen) {
      if (answered < effectiveAt) expect(taker).toBe(0);
      // Timers may be late on a machine that is busy.
      if (sent > effectiveAt + 1_000) expect(taker).toBe(1);
    }
    for (const exporter of [0, 1]) expect(seen.filter((one) => one.exporter === exporter).at(-1)?.taker).toBe(1);
    expect(moved.map((one) => one.shards)).toStrictEqual(moved.map(() => [0]));
    const held = keys.filter((each) => pins.get(each)?.[0] === 1).length;
    expect(Math.abs(held - keys.length / 2) * seriesPerKey).toBeLessThanOrEqual(1_000);
  });

  it("dies: exporters go on by the last table; it comes back with its volume: the very same table", async () => {
    const key = await placed();
    const before = tableText(table());
    await stopWriter();
    await until(() => pods.every(({ exporter }) => exporter.metrics.tablePulls.value({ result: "unanswered" }) > 0));
    for (const each of pods) expect([each.exporter.notReady(), await takerOf(each, key)]).toStrictEqual([undefined, 1]);
    await startWriter();
    expect(tableText(table())).toBe(before);
  });

  it("comes back without its volume, or with one that was damaged: it takes the table from an exporter", async () => {
    const key = await placed();
    const { number, pins } = table();
    await stopWriter();
    await startWriter("new volume");
    expect(table()).toMatchObject({ number, pins });
    await stopWriter();
    const path = join(folder, "data", "table.json");
    writeFileSync(path, readFileSync(path, "utf8").replace('\\"pins\\":[', '\\"pins\\":[{},'));
    await startWriter();
    expect(table()).toMatchObject({ number, pins });
    expect(await takerOf(pod(0), key)).toBe(1);
  });

  it("a corrupt table is refused: who has one keeps it, and who has none takes no pushes", async () => {
    const key = await placed();
    const text = tableText(table());
    await stopWriter();
    const corrupt = createServer((_, response) => response.end(text.replace('"shards":[1]', '"shards":[0]')));
    const server = await serve(corrupt, port);
    await until(() => pods.every(({ exporter }) => exporter.metrics.tablePulls.value({ result: "refused" }) > 0));
    for (const each of pods) expect(await takerOf(each, key)).toBe(1);
    const late = await startPod();
    await until(() => late.exporter.metrics.tablePulls.value({ result: "refused" }) > 0);
    expect((await send(late.ops.url, "GET", "/-/ready")).status).toBe(503);
    const answer = await push(late, [`m{gatewayID="${key}"} 1`]);
    expect([answer.status, answer.headers["retry-after"]]).toStrictEqual([503, "1"]);
    expect(answer.text).toContain("no table of ring");
    await server.close();
    await startWriter();
    await until(() => late.exporter.notReady() === undefined);
    expect(await takerOf(late, key)).toBe(1);
  });

  it("numbers that can't be believed change nothing, and a metric says so", async () => {
    const key = await placed();
    const before = tableText(table());
    const refused = () => writer?.placement.metrics.all.render() ?? "";
    const [gone] = pods.splice(1, 1);
    await until(() => /placement_input_refused_total\{reason="exporters"\} [1-9]/.test(refused()));
    expect(refused()).toContain("placement_input_good 0\n");
    expect([tableText(table()), await takerOf(pod(0), key)]).toStrictEqual([before, 1]);
    if (gone !== undefined) pods.push(gone);
    await until(() => refused().includes("placement_input_good 1\n"));
    expect(tableText(table())).toBe(before);
  });

  it("one exporter is cut off from a shard: the other passes over it as well, and both come back", async () => {
    const key = keys[0] ?? "";
    pod(0).cutOff.add(hubs[0]?.url ?? "");
    await until(async () => (await takerOf(pod(0), key)) === 1 && (await takerOf(pod(1), key)) === 1);
    expect(table().failed).toMatchObject([{ shard: 0 }]);
    pod(0).cutOff.clear();
    await until(async () => (await takerOf(pod(0), key)) === 0 && (await takerOf(pod(1), key)) === 0);
  });

  it("one exporter finds a shard full: the other passes over it as well, and both come back", async () => {
    const key = keys[0] ?? "";
    const [hub] = hubs;
    if (hub === undefined) throw new Error("no hub");
    hub.mood = "full";
    expect(await takerOf(pod(0), key)).toBe(1);
    hub.mood = "ok";
    // Else the key would be on both shards: what the first has put on the next one, the second knows nothing of.
    await until(async () => (await takerOf(pod(1), key)) === 1);
    expect(table().failed).toMatchObject([{ shard: 0 }]);
    await until(async () => (await takerOf(pod(0), key)) === 0 && (await takerOf(pod(1), key)) === 0);
    expect(table().failed.length).toBeGreaterThan(0);
  });

  it("gives the ring that is in effect to writers that follow it by themselves, and nothing else", async () => {
    const url = writer?.server.url ?? "";
    const plain = (await send(url, "GET", "/ring")).text;
    await pushFleet();
    await until(() => table().pins.size > 0);
    expect((await send(url, "GET", "/ring")).text).toBe(plain);
    await until(() => Date.now() > table().effectiveAt);
    expect((await send(url, "GET", "/ring")).text).toBe(tableText(table()));
    expect((await send(url, "GET", `/table?have=${String(table().number)}`)).status).toBe(304);
    expect((await send(url, "POST", "/table")).status).toBe(404);
    expect((await send(url, "GET", "/")).status).toBe(404);
  });
});
