import { connect } from "node:http2";
import { createConnection } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ExporterConfig } from "../../../../model/exporter-config";
import { shardOrder } from "../../../../model/ring";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { listen } from "../../../../services/plumbing/lifecycle";
import { GrpcClient, type GrpcAnswer } from "../grpc-client";
import { eventually, FakeHub, send, serve } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { families, family, gauges, metric, plain, types } from "./families-of";

const now = 1_700_000_000_000;
const collect = "/grpc.MetricsController/Collect";

let hubs: readonly FakeHub[];
let exporter: Exporter;
let client: GrpcClient;
let port: number;

async function start(changes: Partial<ExporterConfig> = {}): Promise<void> {
  exporter = createExporter(
    exporterConfigOf(
      hubs.map(({ url }) => [url]),
      changes,
    ),
    { now: () => now },
  );
  port = await listen(exporter.grpc.server, { host: "127.0.0.1", port: 0 });
  client = new GrpcClient(`http://127.0.0.1:${String(port)}`);
}

async function stop(): Promise<void> {
  client.close();
  await exporter.stop();
  await exporter.grpc.close(100);
}

beforeEach(async () => {
  hubs = await Promise.all([new FakeHub().start(), new FakeHub().start()]);
  await start();
});
afterEach(async () => {
  await stop();
  await Promise.all(hubs.map((hub) => hub.stop()));
});

function push(message: Buffer): Promise<GrpcAnswer> {
  return client.call(collect, message);
}

function lines(): readonly string[] {
  return hubs.flatMap((hub) => hub.lines);
}

describe("Collect", () => {
  it("is UNAVAILABLE while the exporter has no table of the placement, and nothing is stored", async () => {
    await stop();
    await start({ placementUrl: "http://127.0.0.1:9" });
    const answer = await push(gauges("up", undefined, [{}]));
    expect([answer.status, answer.message]).toStrictEqual([grpcStatus.unavailable, expect.stringContaining("table")]);
    expect(lines()).toStrictEqual([]);
  });

  it("is answered with an empty Void once the owning hubs have the samples", async () => {
    const keys = Array.from({ length: 20 }, (_, at) => `g${String(at)}`);
    const answer = await push(
      gauges(
        "m",
        now,
        keys.map((gatewayID) => ({ gatewayID })),
      ),
    );
    expect([answer.status, answer.message, answer.body.length]).toStrictEqual([grpcStatus.ok, "", 5]);
    for (const [at, key] of keys.entries()) {
      const [owner] = shardOrder(exporterConfigOf(hubs.map(({ url }) => [url])), key);
      const line = `m{gatewayID="${key}"} ${String(at)} ${String(now)}`;
      expect(hubs[owner?.index ?? -1]?.lines).toContain(line);
    }
    expect(exporter.metrics.pushes.value({ code: "200" })).toBe(1);
    expect(exporter.metrics.acceptedSamples.value()).toBe(20);
  });

  it("stores the same lines as POST /metrics, and puts the receive time where there is none", async () => {
    await push(gauges("m", undefined, [{ b: "2", a: "1", empty: "" }]));
    const overGrpc = lines();
    const http = await serve(exporter.server);
    await send(http.url, "POST", "/metrics", { body: 'm{b="2",a="1",empty=""} 0\n' });
    await http.close();
    expect(overGrpc).toStrictEqual([`m{a="1",b="2"} 0 ${String(now)}`]);
    expect(lines()).toStrictEqual([...overGrpc, ...overGrpc]);
  });

  it("takes an empty message", async () => {
    expect((await push(Buffer.alloc(0))).status).toBe(grpcStatus.ok);
  });

  it("refuses a message with a bad metric as a whole, and names it", async () => {
    const bad = family("bad", types.histogram, [metric({}, now, plain("gauge", 1))]);
    const good = family("good", types.gauge, [metric({}, now, plain("gauge", 1))]);
    expect(await push(families(good, bad))).toMatchObject({
      status: grpcStatus.invalidArgument,
      message: 'metric "bad": is of type histogram and has no histogram in a metric',
    });
    const reserved = gauges("m", now, [{ gatewayID: "g}1", __name__: "x" }]);
    expect(await push(reserved)).toMatchObject({
      status: grpcStatus.invalidArgument,
      message: 'm{gatewayID="g}1",__name__="x"}: label name "__name__" is reserved',
    });
    expect(lines()).toStrictEqual([]);
  });

  it("refuses samples out of bounds one by one and stores the rest", async () => {
    const old = metric({ gatewayID: "g1" }, 5, plain("gauge", 1));
    const good = metric({ gatewayID: "g2" }, now, plain("gauge", 1));
    expect(await push(families(family("m", types.gauge, [old, good])))).toMatchObject({
      status: grpcStatus.invalidArgument,
      message: 'accepted 1 samples, rejected 1: m{gatewayID="g1"}: timestamp 5 is 1700000000.0 s old (limit 1500 s)',
    });
    expect(lines()).toHaveLength(1);
  });

  it("names five of the samples that it refuses and counts all others", async () => {
    const old = Array.from({ length: 1_100 }, () => metric({}, 5, plain("gauge", 1)));
    const answer = await push(families(family("m", types.gauge, old)));
    const named = Array.from({ length: 5 }, () => "m: timestamp 5 is 1700000000.0 s old (limit 1500 s)").join("; ");
    expect(answer.message).toBe(`accepted 0 samples, rejected 1100: ${named}; and 1095 more`);
  });

  it("is UNAVAILABLE with what each hub said when none takes the samples", async () => {
    for (const hub of hubs) hub.mood = "full";
    const answer = await push(gauges("m", now, [{}]));
    expect(answer.status).toBe(grpcStatus.unavailable);
    expect(answer.message).toContain("no shard took 1 of 1 samples; send the same body again; shard-0: 406");
    expect(exporter.metrics.pushes.value({ code: "503" })).toBe(1);
  });

  it("is RESOURCE_EXHAUSTED for a message over the limit, of which the client still gets to read the status", async () => {
    const large = gauges(
      "m",
      now,
      Array.from({ length: 4000 }, (_, at) => ({ gatewayID: `g${String(at)}` })),
    );
    expect(large.length).toBeGreaterThan(64 * 1024);
    expect(await push(large)).toMatchObject({
      status: grpcStatus.resourceExhausted,
      message: "message over 65536 bytes",
    });
    expect((await push(gauges("m", now, [{}]))).status).toBe(grpcStatus.ok);
    expect(exporter.metrics.inFlightBytes.value()).toBe(0);
  });

  it("is the only method", async () => {
    expect(await client.call("/grpc.MetricsController/Other", Buffer.alloc(0))).toMatchObject({
      status: grpcStatus.unimplemented,
    });
  });
});

describe("limits per tenant", () => {
  it("are RESOURCE_EXHAUSTED with the tenants' names; what the others pushed is stored", async () => {
    await stop();
    await start({ tenantLimits: { label: "networkID", maxSeries: 2, maxSamplesPerSecond: 0 } });
    const many = ["1", "2", "3"].map((a) => ({ a, networkID: "loud" }));
    const answer = await push(gauges("m", now, [...many, { networkID: "calm" }]));
    expect(answer.status).toBe(grpcStatus.resourceExhausted);
    expect(answer.message).toContain('over the limits of "loud"; everything else is stored (accepted 3 samples)');
    expect(lines()).toHaveLength(3);
    expect(exporter.metrics.refusedSamples.value({ tenant: "loud", reason: "series" })).toBe(1);
  });

  it("are 429 with Retry-After over HTTP", async () => {
    await stop();
    await start({ tenantLimits: { label: "networkID", maxSeries: 0, maxSamplesPerSecond: 1 } });
    const http = await serve(exporter.server);
    const body = (count: number) =>
      Array.from({ length: count }, (_, at) => `m{a="${String(at)}",networkID="loud"} 1\n`).join("");
    expect((await send(http.url, "POST", "/metrics", { body: body(60) })).status).toBe(200);
    const answer = await send(http.url, "POST", "/metrics", { body: `${body(10)}m{networkID="calm"} 1\nm 1 5\n` });
    await http.close();
    expect([answer.status, answer.headers["retry-after"]]).toStrictEqual([429, "10"]);
    expect(JSON.parse(answer.text)).toMatchObject({
      reason: 'over the limits of "loud"; everything else is stored',
      accepted: 1,
      tenants: [{ tenant: "loud", samples: 10 }],
      rejected: [{ line: 12 }],
    });
    expect(exporter.metrics.pushes.value({ code: "429" })).toBe(1);
    expect(exporter.metrics.render()).toContain(
      'exporter_tenant_refused_samples_total{tenant="loud",reason="rate"} 10',
    );
  });
});

describe("the gRPC port", () => {
  it("lets calls under way end when it closes, and tells clients to go elsewhere", async () => {
    for (const hub of hubs) hub.mood = "hang";
    const inHand = push(gauges("m", now, [{}]));
    await eventually(() => hubs.some(({ pushes }) => pushes > 0));
    for (const hub of hubs) hub.mood = "ok";
    const closed = exporter.grpc.close(5_000);
    expect((await inHand).status).toBe(grpcStatus.ok);
    await closed;
    expect(lines()).toHaveLength(1);
  });

  it("survives clients that go away in the middle of a message, and bytes that are no HTTP/2", async () => {
    for (let at = 0; at < 10; at += 1) {
      const session = connect(`http://127.0.0.1:${String(port)}`);
      session.on("error", () => undefined);
      const stream = session.request({ ":method": "POST", ":path": collect, "content-type": "application/grpc" });
      stream.on("error", () => undefined);
      await new Promise<void>((resolve) => stream.write(Buffer.from([0, 0, 0, 200, 0, 1]), () => resolve()));
      session.destroy();
    }
    await new Promise<void>((resolve) => {
      const socket = createConnection(port, "127.0.0.1", () => socket.write("POST /metrics HTTP/1.1\r\n\r\n"));
      socket.on("data", () => undefined);
      socket.on("close", () => resolve());
      socket.on("error", () => undefined);
    });
    expect((await push(gauges("m", now, [{}]))).status).toBe(grpcStatus.ok);
    await eventually(() => exporter.metrics.inFlightBytes.value() === 0);
  });
});
