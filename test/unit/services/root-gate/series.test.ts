import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProxyMetrics } from "../../../../services/plumbing/forward";
import { GrpcError, grpcStatus } from "../../../../services/plumbing/grpc";
import { GrpcServer, type Call } from "../../../../services/plumbing/grpc-server";
import { listen } from "../../../../services/plumbing/lifecycle";
import { decodeSeriesQuery, SERIES_TEXT, type SeriesQuery } from "../../../../services/plumbing/series-text";
import { SeenEndpoints } from "../../../../services/root-gate/seen-endpoints";
import { SeriesFanOut } from "../../../../services/root-gate/series-fan-out";
import { rootGateServer } from "../../../../services/root-gate/server";
import { serve, type TestServer } from "../http-helpers";
import { FakeRoot } from "./fake-root";

/** An adapter that answers as it is told. */
class FakeShard {
  readonly asked: SeriesQuery[] = [];
  cancelled = 0;
  reply: (call: Call) => Promise<void>;
  readonly #server: GrpcServer;
  address = "";

  constructor(readonly shard: string) {
    this.reply = (call) => call.send(Buffer.from(`{"up":"1","shard":"${shard}"}`));
    const answer = async (call: Call): Promise<void> => {
      this.asked.push(decodeSeriesQuery(call.request));
      call.signal.addEventListener("abort", () => (this.cancelled += 1));
      await this.reply(call);
    };
    this.#server = new GrpcServer(new Map([[SERIES_TEXT, answer]]));
  }

  async start(): Promise<void> {
    this.address = `127.0.0.1:${String(await listen(this.#server.server, { host: "127.0.0.1", port: 0 }))}`;
  }

  stop(): Promise<void> {
    return this.#server.close(0);
  }
}

const fromRoot = '{"status":"success","data":[{"from":"root"}]}\n';

let root: FakeRoot;
let shards: readonly FakeShard[];
let upstream: TestServer;
let fanOut: SeriesFanOut;
let gate: TestServer;
let metrics: ProxyMetrics;

async function start(others: readonly string[] = []): Promise<void> {
  const endpoints = [
    ...shards.map(({ shard, address }) => ({ shard, address })),
    ...others.map((address) => ({ shard: "ruler", address })),
  ];
  root.listed = endpoints.map(({ address }) => address);
  root.answer = { status: 200, text: fromRoot };
  upstream = await serve(root.server());
  fanOut = new SeriesFanOut(upstream.url, endpoints);
  metrics = new ProxyMetrics();
  const seen = new SeenEndpoints({ upstream: upstream.url, expected: endpoints });
  gate = await serve(rootGateServer({ upstream: upstream.url, metrics, seen, series: fanOut, draining: () => false }));
}

beforeEach(async () => {
  root = new FakeRoot();
  shards = [new FakeShard("0"), new FakeShard("1"), new FakeShard("2")];
  await Promise.all(shards.map((shard) => shard.start()));
});
afterEach(async () => {
  fanOut.close();
  await gate.close();
  await upstream.close();
  await Promise.all(shards.map((shard) => shard.stop()));
});

const plain = { "match[]": "up", start: "1795000000.001", end: "1795003600" };
const target = (parameters: Readonly<Record<string, string>> | [string, string][] = plain) =>
  `/api/v1/series?${new URLSearchParams(parameters).toString()}`;
const get = async (path = target()) => fetch(gate.url + path);
const all = ["0", "1", "2"].map((shard) => ({ up: "1", shard }));

describe("series of all shards", () => {
  it("are the lists of the shards, one behind the other", async () => {
    await start();
    const answer = await get();
    expect([answer.status, answer.headers.get("content-type")]).toStrictEqual([200, "application/json"]);
    expect(await answer.json()).toStrictEqual({ status: "success", data: all });
    const asked = { matches: ["up"], oldest: 1_795_000_000_001, newest: 1_795_003_600_000, limit: 0 };
    expect(shards.map((shard) => shard.asked)).toStrictEqual([[asked], [asked], [asked]]);
    expect(root.queries).toStrictEqual([]);
    expect(metrics.requests.value({ route: "/api/v1/series", code: "200" })).toBe(1);
    await expect.poll(() => metrics.inFlight.value()).toBe(0);
  });

  it("may be asked for with a form, in the way of a query frontend, and with several selectors", async () => {
    await start();
    const body = new URLSearchParams({ ...plain, dedup: "true", partial_response: "false" });
    body.append("match[]", '{a=~"b.*"}');
    const answer = await fetch(`${gate.url}/api/v1/series`, { method: "POST", body });
    expect(await answer.json()).toStrictEqual({ status: "success", data: all });
    expect(shards[2]?.asked).toMatchObject([{ matches: ["up", '{a=~"b.*"}'] }]);
  });

  it("leave no comma where a shard has none, and come whole when they come in pieces", async () => {
    await start();
    const [zero, one, two] = shards;
    if (zero === undefined || one === undefined || two === undefined) throw new Error("three shards");
    zero.reply = () => Promise.resolve();
    const many = Array.from({ length: 20_000 }, (_, at) => JSON.stringify({ id: String(at) })).join(",");
    one.reply = async (call) => {
      for (let at = 0; at < many.length; at += 50_000) await call.send(Buffer.from(many.slice(at, at + 50_000)));
    };
    two.reply = () => Promise.resolve();
    expect(await (await get()).text()).toBe(`{"status":"success","data":[${many}]}`);
    one.reply = () => Promise.resolve();
    expect(await (await get()).json()).toStrictEqual({ status: "success", data: [] });
  });

  it.each([
    ["a shard can't tell by itself", new GrpcError(grpcStatus.failedPrecondition, "only the leaf can answer: gaps")],
    ["an adapter is older than the gate", new GrpcError(grpcStatus.unimplemented, "unknown method")],
    ["a shard fails", new GrpcError(grpcStatus.unavailable, "away")],
  ])("come from the root when %s, and the others are let go", async (_, error) => {
    await start();
    const [zero, one] = shards;
    if (zero === undefined || one === undefined) throw new Error("three shards");
    zero.reply = () => Promise.reject(error);
    one.reply = (call) => new Promise((resolve) => call.signal.addEventListener("abort", () => resolve()));
    expect(await (await get()).text()).toBe(fromRoot);
    expect(root.queries).toStrictEqual([`GET ${target()} `]);
    await expect.poll(() => one.cancelled).toBe(1);
  });

  it("come from the root when a shard breaks off in the middle of its list, or is gone", async () => {
    await start();
    const [zero] = shards;
    if (zero === undefined) throw new Error("three shards");
    zero.reply = async (call) => {
      await call.send(Buffer.from('{"a":"1"},'));
      throw new GrpcError(grpcStatus.aborted, "broken");
    };
    expect(await (await get()).text()).toBe(fromRoot);
    await zero.stop();
    expect(await (await get()).text()).toBe(fromRoot);
  });

  it("come from the root when they are more than the gate holds, which then holds nothing", async () => {
    await start();
    const [zero, one] = shards;
    if (zero === undefined || one === undefined) throw new Error("three shards");
    const piece = Buffer.alloc(1024 * 1024, '{"a":"1"},');
    one.reply = async (call) => {
      for (let count = 0; count < 65; count++) await call.send(piece);
    };
    expect(await (await get()).text()).toBe(fromRoot);
    one.reply = async (call) => {
      for (let count = 0; count < 60; count++) await call.send(piece);
    };
    for (let round = 0; round < 2; round++) expect((await (await get()).arrayBuffer()).byteLength).toBeGreaterThan(6e7);
    expect(root.queries).toHaveLength(1);
  });

  it.each([
    ["no range", { "match[]": "up" }],
    ["no selector", { start: "1", end: "2" }],
    ["a date", { ...plain, start: "2026-11-23T00:00:00Z" }],
    ["a range that ends before it begins", { ...plain, end: "1" }],
    ["replicas told apart", { ...plain, dedup: "false" }],
    ["a switch that is none", { ...plain, partial_response: "maybe" }],
    ["other replica labels", { ...plain, "replicaLabels[]": "a" }],
    ["chosen stores", { ...plain, "storeMatch[]": '{a="b"}' }],
    ["what nobody knows yet", { ...plain, future: "1" }],
    ["a limit that is none", { ...plain, limit: "-1" }],
  ])("are the root's to tell with %s", async (_, parameters) => {
    await start();
    expect(await (await get(target(parameters))).text()).toBe(fromRoot);
    expect(root.queries).toStrictEqual([`GET ${target(parameters)} `]);
    expect(shards.flatMap((shard) => shard.asked)).toStrictEqual([]);
  });

  it("are the root's to tell where Go would read no parameters", async () => {
    await start();
    const path = `${target()}&x;y=1`;
    expect(await (await get(path)).text()).toBe(fromRoot);
    expect(shards.flatMap((shard) => shard.asked)).toStrictEqual([]);
  });

  it("are cut by the root when there may be more than asked for", async () => {
    await start();
    expect(await (await get(target({ ...plain, limit: "3" }))).json()).toStrictEqual({ status: "success", data: all });
    expect(shards[0]?.asked).toMatchObject([{ limit: 3 }]);
    expect(await (await get(target({ ...plain, limit: "2" }))).text()).toBe(fromRoot);
  });

  it("have the Rulers' from the root, which is asked for theirs alone", async () => {
    await start(["leaf-ruler.metrics.svc:10901"]);
    expect(await (await get(target({ ...plain, limit: "9" }))).json()).toStrictEqual({
      status: "success",
      data: [...all, { from: "root" }],
    });
    const [query = ""] = root.queries;
    const { searchParams } = new URL(query.split(" ")[1] ?? "", "http://root");
    expect([...searchParams]).toStrictEqual([
      ["match[]", "up"],
      ["storeMatch[]", '{__address__="leaf-ruler.metrics.svc:10901"}'],
      ["storeMatch[]", '{__address__="thanos:///leaf-ruler.metrics.svc:10901"}'],
      ["start", "1795000000.001"],
      ["end", "1795003600"],
      ["limit", "9"],
    ]);
    root.answer = { status: 200, text: '{"status":"success","data":[]}\n' };
    expect(await (await get()).json()).toStrictEqual({ status: "success", data: all });
  });

  it("are the root's error when it can't tell of the Rulers", async () => {
    await start(["leaf-ruler.metrics.svc:10901"]);
    root.answer = { status: 422, text: '{"status":"error","errorType":"execution","error":"shard ruler: away"}' };
    const answer = await get();
    expect([answer.status, await answer.json()]).toMatchObject([422, { error: "shard ruler: away" }]);
    expect(root.queries).toHaveLength(2);
    root.answer = { status: 200, text: '{"status":"success","data":[],"warnings":["away"]}' };
    expect(await (await get()).json()).toMatchObject({ warnings: ["away"] });
  });

  it("are nobody's when the client goes: the shards are let go, and the root is not asked", async () => {
    await start();
    const [zero] = shards;
    if (zero === undefined) throw new Error("three shards");
    zero.reply = (call) => new Promise((resolve) => call.signal.addEventListener("abort", () => resolve()));
    const gone = new AbortController();
    const asking = fetch(gate.url + target(), { signal: gone.signal }).catch(() => "gone");
    await expect.poll(() => zero.asked.length).toBe(1);
    gone.abort();
    expect(await asking).toBe("gone");
    await expect.poll(() => zero.cancelled).toBe(1);
    expect(root.queries).toStrictEqual([]);
  });

  it("are refused like all else while the root has not seen every shard", async () => {
    await start();
    root.listed = [];
    await expect.poll(async () => (await get()).status).toBe(503);
  });
});
