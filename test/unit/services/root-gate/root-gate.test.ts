import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseRootGateConfigText, rootGateConfigText, RootGateConfigError } from "../../../../model/root-gate-config";
import { ProxyMetrics } from "../../../../services/plumbing/forward";
import { SeenEndpoints } from "../../../../services/root-gate/seen-endpoints";
import { SeriesFanOut } from "../../../../services/root-gate/series-fan-out";
import { rootGateServer } from "../../../../services/root-gate/server";
import { serve, type TestServer } from "../http-helpers";
import { FakeRoot } from "./fake-root";

const expected = [
  { shard: "0", address: "leaf-shard-0.metrics.svc:10901" },
  { shard: "1", address: "localhost:10901" },
];

let root: FakeRoot;
let upstream: TestServer;
let gate: TestServer;
let metrics: ProxyMetrics;
let time: number;

beforeEach(async () => {
  root = new FakeRoot();
  upstream = await serve(root.server());
  metrics = new ProxyMetrics();
  time = 0;
  const seen = new SeenEndpoints({ upstream: upstream.url, expected, now: () => time });
  const explain = (text: string) => seen.explain(text);
  const series = new SeriesFanOut(upstream.url, []);
  gate = await serve(rootGateServer({ upstream: upstream.url, metrics, seen, series, explain, draining: () => false }));
});

afterEach(async () => {
  await gate.close();
  await upstream.close();
});

const query = () => fetch(`${gate.url}/api/v1/query`, { method: "POST", body: new URLSearchParams({ query: "up" }) });

describe("the gate of a root", () => {
  it.each([
    [undefined, "the root does not tell which endpoints it has seen"],
    [[], "shard 0 (leaf-shard-0.metrics.svc:10901), shard 1 (localhost:10901)"],
    [["thanos:///leaf-shard-0.metrics.svc:10901"], "shard 1 (localhost:10901)"],
    [["localhost:10901"], "shard 0 (leaf-shard-0.metrics.svc:10901)"],
  ])("refuses while the root has seen %j", async (listed, reason) => {
    root.listed = listed;
    const answer = await query();
    expect(answer.status).toBe(503);
    const body = (await answer.json()) as { status: string; error: string };
    expect(body.status).toBe("error");
    expect(body.error).toContain(reason);
    expect((await fetch(`${gate.url}/-/ready`)).status).toBe(503);
    expect((await fetch(`${gate.url}/graph`)).status).toBe(503);
    expect(root.queries).toStrictEqual([]);
    expect(metrics.refused.value()).toBe(3);
  });

  it("lets through what tells of the root itself, and never its profiles", async () => {
    root.listed = [];
    for (const path of ["/metrics", "/-/healthy", "/api/v1/stores"]) {
      expect((await fetch(gate.url + path)).status, path).toBe(200);
    }
    root.listed = expected.map(({ address }) => address);
    time += 1_000;
    expect((await fetch(`${gate.url}/debug/pprof/heap`)).status).toBe(403);
  });

  it("passes queries on once all have been seen, also while one of them is down", async () => {
    root.listed = expected.map(({ address }) => `thanos:///${address}`);
    const answer = await query();
    expect([answer.status, await answer.text()]).toStrictEqual([200, '{"status":"success"}']);
    expect(root.queries).toStrictEqual(["POST /api/v1/query query=up"]);
    expect((await fetch(`${gate.url}/-/ready`)).status).toBe(200);
  });

  it("asks the root again before each request, but not for each of a burst", async () => {
    root.listed = expected.map(({ address }) => address);
    await Promise.all(Array.from({ length: 20 }, query));
    expect(root.looks).toBe(1);
    // It has restarted.
    root.listed = [];
    time += 300;
    expect((await query()).status).toBe(503);
    root.listed = expected.map(({ address }) => address);
    time += 300;
    expect((await query()).status).toBe(200);
  });

  it("does not let through what it can't tell of: a root that is gone", async () => {
    root.listed = expected.map(({ address }) => address);
    expect((await query()).status).toBe(200);
    await upstream.close();
    time += 300;
    expect((await query()).status).toBe(503);
  });

  it.each([
    ["dial tcp 127.0.0.1:10901: connect: connection refused", "shard 1: dial tcp 127.0.0.1:10901: connect:"],
    ["dial tcp: lookup localhost:10901: no such host", "shard 1: dial tcp: lookup localhost:10901"],
    ["dial tcp 127.0.0.1:109010: connect: connection refused", "dial tcp 127.0.0.1:109010:"],
    ["shard 1: no replica, dial tcp 127.0.0.1:10901: refused", "shard 1: no replica, dial tcp"],
    ["unknown function", "unknown function"],
  ])("names the shard in an error: %s", async (error, begins) => {
    root.listed = expected.map(({ address }) => address);
    root.answer = { status: 422, text: JSON.stringify({ status: "error", errorType: "execution", error }) };
    const answer = await query();
    expect(answer.status).toBe(422);
    const body = (await answer.json()) as { error: string };
    expect(body.error.startsWith(begins), body.error).toBe(true);
  });
});

describe("instant queries of range vectors", () => {
  const ask = async (target: string, body?: string | FormData, type = "application/x-www-form-urlencoded") => {
    root.listed = expected.map(({ address }) => address);
    const headers = typeof body === "string" ? { "content-type": type } : {};
    return fetch(gate.url + target, { method: body === undefined ? "GET" : "POST", body: body ?? null, headers });
  };

  it.each([
    [
      "/api/v1/query?query=up%5B5m%5D&time=7",
      undefined,
      "GET /api/v1/query?query=up%5B5m%5D&time=7&engine=prometheus ",
    ],
    [
      "/api/v1/query?engine=thanos&query=(up%5B5m%5D)",
      undefined,
      "GET /api/v1/query?engine=prometheus&query=%28up%5B5m%5D%29 ",
    ],
    ["/api/v1/query", "query=up%5B5m%5D+offset+1m", "POST /api/v1/query?engine=prometheus query=up%5B5m%5D+offset+1m"],
    [
      "/api/v1/query",
      "engine=thanos&query=up%5B5m:%5D",
      "POST /api/v1/query?engine=prometheus engine=prometheus&query=up%5B5m%3A%5D",
    ],
    ["/api/v1/query?query=up", "query=up%5B5m%5D", "POST /api/v1/query?query=up&engine=prometheus query=up%5B5m%5D"],
    ["/api/v1/%71uery?query=up%5B5m%5D", undefined, "GET /api/v1/%71uery?query=up%5B5m%5D&engine=prometheus "],
  ])("%s %s is answered by Prometheus' engine", async (target, body, passedOn) => {
    expect((await ask(target, body)).status).toBe(200);
    expect(root.queries).toStrictEqual([passedOn]);
  });

  it.each([
    ["/api/v1/query?query=rate(up%5B5m%5D)&time=7", undefined],
    ["/api/v1/query?query=up%5B5m%5D", "query=up&time=7"],
    ["/api/v1/query", ""],
    ["/api/v1/query_range?query=up%5B5m%5D&start=1&end=2&step=1", undefined],
  ])("%s %s passes as it is", async (target, body) => {
    expect((await ask(target, body)).status).toBe(200);
    expect(root.queries).toStrictEqual([`${body === undefined ? "GET" : "POST"} ${target} ${body ?? ""}`]);
  });

  it.each([
    ["/api/v1/query?query=resets(up%5B5m%5D)%5B1h:1m%5D", undefined, "resets()"],
    ["/api/v1/query?query=up%7Bprometheus_replica%3D%22a%22%7D%5B5m%5D", undefined, "prometheus_replica"],
    ["/api/v1/query?query=sum(resets(up%5B5m%5D))&engine=prometheus", undefined, "resets()"],
    ["/api/v1/query_range", "query=resets(up%5B5m%5D)&engine=prometheus&start=1&end=2&step=1", "resets()"],
  ])("%s %s is refused: the leaves would answer it wrongly", async (target, body, reason) => {
    const answer = await ask(target, body);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      errorType: "execution",
      error: expect.stringContaining(reason) as string,
    });
    expect(root.queries).toStrictEqual([]);
  });

  it("passes what the shards answer right by themselves, and what the other engine can read", async () => {
    for (const target of ["/api/v1/query?query=resets(up%5B5m%5D)", "/api/v1/query?query=up&engine=prometheus"]) {
      expect((await ask(target)).status, target).toBe(200);
    }
  });

  it("refuses forms that it does not read", async () => {
    const form = new FormData();
    form.set("query", "up[5m]");
    const answer = await ask("/api/v1/query", form);
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({
      errorType: "bad_data",
      error: expect.stringContaining("x-www-form-urlencoded") as string,
    });
    expect((await ask("/api/v1/query", `query=${"u".repeat(11 * 1024 * 1024)}`)).status).toBe(413);
    expect(root.queries).toStrictEqual([]);
  });
});

describe("its configuration", () => {
  it("is read as it is written", () => {
    expect(parseRootGateConfigText(rootGateConfigText({ endpoints: expected })).endpoints).toStrictEqual(expected);
  });

  it.each([
    ["{", "not JSON"],
    ['{"endpoints":[]}', "endpoints: []: must be a list of 1 to 10000 entries"],
    ['{"endpoints":[{"shard":"0"}]}', "endpoints[0].address: missing: must be host:port"],
    ['{"endpoints":[{"shard":"0","address":"a:1"},{"shard":"1","address":"a:1"}]}', "addresses must differ"],
  ])("%s is refused with the reason", (text, reason) => {
    expect(() => parseRootGateConfigText(text)).toThrow(RootGateConfigError);
    expect(() => parseRootGateConfigText(text)).toThrow(reason);
  });
});
