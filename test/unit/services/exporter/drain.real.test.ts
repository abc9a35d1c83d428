import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exporterConfigText } from "../../../../model/exporter-config";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { GrpcClient } from "../grpc-client";
import { eventually, FakeHub, send, serve, textOf, type TestServer } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { gauges } from "./families-of";

let folder: string;
let bundle: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "exporter-drain-"));
  bundle = join(folder, "services.cjs");
  buildSync({
    entryPoints: [join(__dirname, "../../../../services/main.ts")],
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    outfile: bundle,
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A hub that answers a push only when told. */
async function slowHub(): Promise<{ server: TestServer; waiting: () => number; release: () => void }> {
  const held: (() => void)[] = [];
  let released = false;
  const server = createServer((incoming, response) => {
    void textOf(incoming).then(() => {
      if (released) response.end();
      else held.push(() => response.end());
    });
  });
  return {
    server: await serve(server),
    waiting: () => held.length,
    release: () => {
      released = true;
      held.forEach((end) => end());
    },
  };
}

async function started(
  hubUrl: string,
  prometheusUrl?: string,
): Promise<{ child: ChildProcess; push: string; grpc: string; ops: string; exit: Promise<number | null> }> {
  const config = join(folder, "exporter.json");
  const plain = exporterConfigOf([[hubUrl]], { pushTimeoutMilliseconds: 5000 });
  const shards = plain.shards.map((shard) => ({
    ...shard,
    hubs: shard.hubs.map((hub) => ({ ...hub, prometheusUrl })),
  }));
  const commit = { ...plain.commit, scrapeIntervalMilliseconds: 300, drainSeconds: 2 };
  writeFileSync(config, exporterConfigText({ ...plain, shards, commit }));
  const flags = [
    "--listen",
    "127.0.0.1:0",
    "--grpc-listen",
    "127.0.0.1:0",
    "--ops",
    "127.0.0.1:0",
    "--drain-delay-milliseconds",
    "400",
  ];
  const child = spawn(process.execPath, [bundle, "exporter", "--config", config, ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = await new Promise<{ port: number; grpcPort: number; opsPort: number }>((resolve, reject) => {
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split("\n").find((one) => one.includes("exporter ready"));
      if (line !== undefined) resolve(JSON.parse(line) as { port: number; grpcPort: number; opsPort: number });
    });
    child.once("exit", () => reject(new Error(text)));
  });
  const url = (port: number): string => `http://127.0.0.1:${String(port)}`;
  return { child, push: url(ready.port), grpc: url(ready.grpcPort), ops: url(ready.opsPort), exit };
}

describe("SIGTERM", () => {
  it("makes the exporter not ready, lets pushes in hand end, takes new ones for the delay, and exits with 0", async () => {
    const hub = await slowHub();
    const { child, push, ops, exit } = await started(hub.server.url);
    expect((await send(ops, "GET", "/-/ready")).status).toBe(200);
    const inHand = send(push, "POST", "/metrics", { body: "a 1\n" });
    while (hub.waiting() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGTERM");
    while ((await send(ops, "GET", "/-/ready")).status === 200) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await send(ops, "GET", "/-/ready")).text).toBe("draining\n");
    expect((await send(ops, "GET", "/-/healthy")).status).toBe(200);
    const late = send(push, "POST", "/metrics", { body: "b 1\n" });
    await new Promise((resolve) => setTimeout(resolve, 700));
    await expect(send(push, "POST", "/metrics", { body: "c 1\n" })).rejects.toThrow("ECONNREFUSED");
    hub.release();
    expect((await inHand).status).toBe(200);
    const answer = await late;
    expect([answer.status, answer.headers.connection]).toStrictEqual([200, "close"]);
    expect(await exit).toBe(0);
    await hub.server.close();
  });
});

/** A Prometheus that has the numbers in `stored`. */
async function standInPrometheus(stored: readonly number[]): Promise<{ server: TestServer; asked: () => number }> {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    const result = [{ metric: {}, values: stored.map((number) => [0, String(number)]) }];
    response.end(JSON.stringify({ status: "success", data: { resultType: "matrix", result } }));
  });
  return { server: await serve(server), asked: () => asked };
}

describe("SIGTERM with acknowledged samples that are not stored yet", () => {
  it("is followed until they are, and by another push when their hub lost them", async () => {
    const hub = await new FakeHub().start();
    const stored: number[] = [];
    const prometheus = await standInPrometheus(stored);
    const { child, push, ops, exit } = await started(hub.url, prometheus.server.url);
    expect((await send(push, "POST", "/metrics", { body: "a 1\n" })).status).toBe(200);
    child.kill("SIGTERM");
    // The stand-in hub is never scraped: as if it had been killed.
    await eventually(() => hub.stored.length === 2);
    expect(hub.stored[1]).toBe(hub.stored[0]);
    expect((await send(ops, "GET", "/metrics")).text).toContain(
      'exporter_uncommitted_samples{target_shard="shard-0"} 1\n',
    );
    stored.push(...hub.writes.map(([, number]) => number));
    expect(await exit).toBe(0);
    expect(prometheus.asked()).toBeGreaterThan(1);
    await hub.stop();
    await prometheus.server.close();
  });

  it("ends the exporter when the time is over all the same", async () => {
    const hub = await new FakeHub().start();
    const prometheus = await standInPrometheus([]);
    const { child, push, exit } = await started(hub.url, prometheus.server.url);
    let log = "";
    child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
    expect((await send(push, "POST", "/metrics", { body: "a 1\nb 1\n" })).status).toBe(200);
    const startedAt = Date.now();
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    expect(Date.now() - startedAt).toBeGreaterThan(2000);
    expect(log).toContain('"message":"stopped before everything was stored","writes":1,"samples":2');
    await hub.stop();
    await prometheus.server.close();
  });
});

describe("SIGTERM with a gRPC call in hand", () => {
  it("lets it end, takes new ones for the delay, and exits with 0", async () => {
    const hub = await slowHub();
    const { child, grpc, ops, exit } = await started(hub.server.url);
    const client = new GrpcClient(grpc);
    const collect = (name: string) => client.call("/grpc.MetricsController/Collect", gauges(name, undefined, [{}]));
    const inHand = collect("a");
    while (hub.waiting() === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGTERM");
    while ((await send(ops, "GET", "/-/ready")).status === 200) await new Promise((resolve) => setTimeout(resolve, 10));
    const late = collect("b");
    while (hub.waiting() === 1) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => client.session.once("goaway", resolve));
    hub.release();
    expect([(await inHand).status, (await late).status]).toStrictEqual([grpcStatus.ok, grpcStatus.ok]);
    expect(await exit).toBe(0);
    client.close();
    await hub.server.close();
  });
});

describe("the bundle", () => {
  it("shows its own metrics and the ring it uses", async () => {
    const hub = await slowHub();
    hub.release();
    const { child, push, ops, exit } = await started(hub.server.url);
    await send(push, "POST", "/metrics", { body: "a 1\n" });
    const { text, headers } = await send(ops, "GET", "/metrics");
    expect(headers["content-type"]).toContain("version=0.0.4");
    expect(text).toContain('exporter_ring_info{version="test",shard_label="gatewayID",home_shard="0"} 1\n');
    expect(text).toContain('exporter_hub_samples_total{target_shard="shard-0",target_replica="a"} 1\n');
    expect(text).toContain('exporter_pushes_total{code="200"} 1\n');
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
    await hub.server.close();
  });
});
