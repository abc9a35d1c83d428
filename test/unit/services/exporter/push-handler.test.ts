import { createConnection } from "node:net";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { shardOrder } from "../../../../model/ring";
import { FakeHub, send, serve, type Answer, type TestServer } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { cases } from "../../../thorough";

const now = 1_700_000_000_000;
const maxBodyBytes = 64 * 1024;

let hubs: readonly FakeHub[];
let exporter: Exporter;
let server: TestServer;

beforeEach(async () => {
  hubs = await Promise.all([new FakeHub().start(), new FakeHub().start(), new FakeHub().start()]);
  exporter = createExporter(exporterConfigOf(hubs.map(({ url }) => [url])), { now: () => now });
  server = await serve(exporter.server);
});
afterEach(async () => {
  await exporter.stop();
  await server.close();
  await Promise.all(hubs.map((hub) => hub.stop()));
});

function push(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return send(server.url, "POST", "/metrics", { body, headers });
}

function json(answer: Answer): unknown {
  return JSON.parse(answer.text);
}

function allLines(): readonly string[] {
  return hubs.flatMap(({ lines }) => lines);
}

describe("accepted pushes", () => {
  it("are answered with an empty 200 once the owning hubs have them", async () => {
    const keys = Array.from({ length: 30 }, (_, at) => `g${String(at)}`);
    const answer = await push(keys.map((key) => `m{gatewayID="${key}"} 1 ${String(now)}\n`).join(""));
    expect([answer.status, answer.text]).toStrictEqual([200, ""]);
    for (const key of keys) {
      const [owner] = shardOrder(exporterConfigOf(hubs.map(({ url }) => [url])), key);
      expect(hubs[owner?.index ?? -1]?.lines).toContain(`m{gatewayID="${key}"} 1 ${String(now)}`);
    }
    expect(allLines()).toHaveLength(keys.length);
    expect(exporter.metrics.acceptedSamples.value()).toBe(keys.length);
  });

  it("pass on NaN and Inf, and put the receive time where there is none", async () => {
    expect((await push("# TYPE a gauge\na NaN\nb +Inf\nc -Inf\n")).status).toBe(200);
    expect(allLines()).toStrictEqual(["a NaN", "b +Inf", "c -Inf"].map((line) => `${line} ${String(now)}`));
  });

  it("lose nothing to conflicting types", async () => {
    expect((await push("# TYPE a gauge\na 1\n")).status).toBe(200);
    expect((await push("# TYPE a histogram\na 2\n")).status).toBe(200);
    expect(allLines()).toHaveLength(2);
  });

  it("may be empty", async () => {
    expect((await push("")).status).toBe(200);
    expect(allLines()).toStrictEqual([]);
  });

  it("may be packed with gzip", async () => {
    expect((await push(gzipSync("a 1\n"), { "content-encoding": "gzip" })).status).toBe(200);
    expect((await push(gzipSync("b 1\n"), { "content-encoding": " GZIP " })).status).toBe(200);
    expect(allLines()).toHaveLength(2);
  });

  it("may come in chunks, with query parameters, and as what curl calls a form", async () => {
    const headers = { "transfer-encoding": "chunked", "content-type": "application/x-www-form-urlencoded" };
    expect((await send(server.url, "POST", "/metrics?x=1", { body: "a 1\n", headers })).status).toBe(200);
  });
});

describe("refused requests", () => {
  it.each(["/", "/metrics/", "/metrics/job/x", "/Metrics", "//metrics", "/metric%73", "/internal"])(
    "404: path %s",
    async (path) => {
      expect((await send(server.url, "POST", path, { body: "a 1\n" })).status).toBe(404);
      expect(allLines()).toStrictEqual([]);
    },
  );

  it.each(["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])("405: method %s, with Allow", async (method) => {
    const answer = await send(server.url, method, "/metrics", method === "GET" ? {} : { body: "a 1\n" });
    expect([answer.status, answer.headers.allow]).toStrictEqual([405, "POST"]);
  });

  it("413: a body that is announced too large, without reading it", async () => {
    const answer = await push(Buffer.alloc(maxBodyBytes + 1, "#"));
    expect([answer.status, json(answer)]).toStrictEqual([
      413,
      { reason: `the body is larger than ${String(maxBodyBytes)} bytes; send it in smaller pieces` },
    ]);
  });

  it("413: a body that turns out too large, the answer reaching a client that is still sending", async () => {
    const answer = await push(Buffer.alloc(5_000_000, "#"), { "transfer-encoding": "chunked" });
    expect(answer.status).toBe(413);
  });

  it("413: a gzip bomb, without unpacking it whole", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, "\n"));
    expect(bomb.length).toBeLessThan(maxBodyBytes);
    const before = process.memoryUsage().arrayBuffers;
    const answers = await Promise.all(Array.from({ length: 4 }, () => push(bomb, { "content-encoding": "gzip" })));
    expect(answers.map(({ status }) => status)).toStrictEqual([413, 413, 413, 413]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  it("takes a body of exactly the limit, packed or not", async () => {
    const body = Buffer.concat([Buffer.alloc(maxBodyBytes - 4, "\n"), Buffer.from("a 1\n")]);
    expect((await push(body)).status).toBe(200);
    expect((await push(gzipSync(body), { "content-encoding": "gzip" })).status).toBe(200);
  });

  it("400: what says gzip and is not, or is cut", async () => {
    for (const body of [Buffer.from("a 1\n"), gzipSync("a 1\n".repeat(1000)).subarray(0, 20)]) {
      const answer = await push(body, { "content-encoding": "gzip" });
      expect(answer.status).toBe(400);
      expect(json(answer)).toMatchObject({ line: 0, reason: expect.stringContaining("not gzip") as string });
    }
  });

  it.each([
    [{ "content-encoding": "br" }],
    [{ "content-type": "application/openmetrics-text; version=1.0.0" }],
    [{ "content-type": "application/vnd.google.protobuf; encoding=delimited" }],
  ])("415: %j, which would be misread", async (headers) => {
    expect((await push("a 1\n", headers as unknown as Record<string, string>)).status).toBe(415);
  });

  it("400: a malformed body, with line and reason; nothing of it is stored", async () => {
    const answer = await push('a 1\nb{c="d",c="e"} 2\n');
    expect([answer.status, json(answer)]).toStrictEqual([400, { line: 2, reason: "duplicate label c" }]);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(allLines()).toStrictEqual([]);
  });

  it("answers Expect: 100-continue with 413 before a byte of the body is sent", async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(server.port, "127.0.0.1");
      let received = "";
      socket.on("data", (chunk) => {
        received += chunk.toString();
        if (received.includes("reason")) socket.destroy();
      });
      socket.on("close", () => resolve(received));
      socket.on("error", reject);
      socket.write("POST /metrics HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n");
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("leaves a client go on after Expect: 100-continue", async () => {
    expect((await push("a 1\n", { expect: "100-continue", "content-length": "4" })).status).toBe(200);
  });
});

describe("samples out of bounds", () => {
  it("are refused one by one with 400 and the list; the rest is stored", async () => {
    const answer = await push(`a 1 5\nb 2\nb 3\nc 4 ${String(now + 61_000)}\nd 5 ${String(now)}\n`);
    expect([answer.status, json(answer)]).toStrictEqual([
      400,
      {
        accepted: 2,
        rejected: [
          {
            line: 1,
            reason: "timestamp 5 is 1699999999995.0 s old (limit 1500 s)".replace("1699999999995.0", "1700000000.0"),
          },
          { line: 3, reason: `the series has another value at timestamp ${String(now)} in line 2` },
          { line: 4, reason: `timestamp ${String(now + 61_000)} is 61.0 s ahead (limit 60 s)` },
        ],
      },
    ]);
    expect([...allLines()].sort()).toStrictEqual([`b 2 ${String(now)}`, `d 5 ${String(now)}`]);
    expect(exporter.metrics.rejectedSamples.value({ reason: "old" })).toBe(1);
  });

  it("are listed up to a thousand, the first by line; the others are counted, also in the metric", async () => {
    const old = (count: number): string => "a 1 1\n".repeat(count);
    const conflicts = `b 1\n${"b 2\n".repeat(10)}`;
    const answer = json(await push(`${old(600)}${conflicts}${old(2_000)}`)) as { rejected: { line: number }[] };
    const lines = [
      ...Array.from({ length: 600 }, (_, at) => at + 1),
      ...Array.from({ length: 400 }, (_, at) => at + 602),
    ];
    expect(answer).toStrictEqual({ accepted: 1, rejected: expect.any(Array) as unknown, moreRejected: 1_610 });
    expect(answer.rejected.map(({ line }) => line)).toStrictEqual(lines);
    const { rejectedSamples } = exporter.metrics;
    expect(["old", "conflict"].map((reason) => rejectedSamples.value({ reason }))).toStrictEqual([2_600, 10]);
    expect(Object.keys(json(await push(old(1_000))) as object)).toStrictEqual(["accepted", "rejected"]);
  });

  it("alone leave the hubs untouched", async () => {
    expect(json(await push("a 1 5\n"))).toMatchObject({ accepted: 0 });
    expect(hubs.map(({ pushes }) => pushes)).toStrictEqual([0, 0, 0]);
  });
});

describe("hubs in trouble", () => {
  it.each(["full", "error", "empty", "hang", "redirect"] as const)("%s: the next shard takes over", async (mood) => {
    const [home] = hubs;
    if (home !== undefined) home.mood = mood;
    expect((await push("a 1\n")).status).toBe(200);
    expect(allLines()).toStrictEqual([`a 1 ${String(now)}`]);
    expect(home?.stored).toStrictEqual([]);
    expect(exporter.metrics.failoverSamples.value({ target_shard: "shard-0" })).toBe(1);
  });

  it("gone: the next shard takes over", async () => {
    await hubs[0]?.stop();
    expect((await push("a 1\n")).status).toBe(200);
    expect(allLines()).toHaveLength(1);
  });

  it("all of them: 503 with Retry-After and what each said", async () => {
    for (const hub of hubs) hub.mood = "full";
    const answer = await push("a 1\n");
    expect([answer.status, answer.headers["retry-after"]]).toStrictEqual([503, "1"]);
    expect(json(answer)).toMatchObject({ reason: "no shard took 1 of 1 samples; send the same body again" });
    expect(answer.text).toContain("shard-2: 406 Not accepting push");
    expect(exporter.metrics.unplacedSamples.value()).toBe(1);
    expect(exporter.metrics.acceptedSamples.value()).toBe(0);
  });

  it("of which some took their part: 503, and nothing of it counts as acknowledged", async () => {
    const half = exporterConfigOf(hubs.slice(0, 2).map(({ url }) => [url]));
    const other = createExporter(half, { now: () => now });
    const port = await serve(other.server);
    // Both shards are asked at once; each takes what is its own, and has no room for what is not.
    const [first, second] = hubs;
    if (first === undefined || second === undefined) throw new Error("no hubs");
    first.mood = "full";
    second.limit = 1;
    const keyOf = (shard: number) =>
      Array.from({ length: 100 }, (_, at) => `g${String(at)}`).find((key) => shardOrder(half, key)[0]?.index === shard);
    const lines = [0, 1].map((shard) => `m{gatewayID="${keyOf(shard) ?? ""}"} 1 ${String(now)}\n`);
    const answer = await send(port.url, "POST", "/metrics", { body: lines.join("") });
    expect([answer.status, second.lines.length]).toStrictEqual([503, 1]);
    expect([other.metrics.acceptedSamples.value(), other.metrics.unplacedSamples.value()]).toStrictEqual([0, 1]);
    await other.stop();
    await port.close();
  });

  it("calling the body bad: 400 with the lines, and no other hub is asked", async () => {
    if (hubs[0] !== undefined) hubs[0].mood = "bad";
    const answer = await push("a 1\n");
    expect([answer.status, json(answer)]).toStrictEqual([
      400,
      { accepted: 0, rejected: [{ line: 1, reason: "refused by the hub of shard-0: 400 error parsing metrics" }] },
    ]);
    expect(hubs.map(({ pushes }) => pushes)).toStrictEqual([1, 0, 0]);
  });

  it("calling the body bad, on several shards: the first thousand lines of them all, and the number of the others", async () => {
    for (const hub of hubs) hub.mood = "bad";
    const bad = Array.from({ length: 1_200 }, (_, at) => `m{gatewayID="g${String(at % 20)}"} 1 ${String(now + at)}\n`);
    const body = gzipSync(`a 1 1\n${bad.join("")}`);
    const answer = json(await push(body, { "content-encoding": "gzip" })) as { rejected: { line: number }[] };
    expect(answer).toMatchObject({ accepted: 0, moreRejected: 201 });
    expect(answer.rejected.map(({ line }) => line)).toStrictEqual(Array.from({ length: 1_000 }, (_, at) => at + 1));
    expect(hubs.filter(({ pushes }) => pushes === 1).length).toBeGreaterThan(1);
    expect(exporter.metrics.rejectedSamples.value({ reason: "hub" })).toBe(1_200);
  });
});

describe("staying up", () => {
  it("through random bodies over HTTP, each answered with 200 or 400", async () => {
    const piece = fc.constantFrom("a", " ", "1", "\n", "{", "}", '="b"', ",", "#", " 5", "\\", '"', "\0", "é", "a 1\n");
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join(""))),
    );
    await fc.assert(
      fc.asyncProperty(body, fc.boolean(), async (bytes, packed) => {
        const answer = packed ? await push(gzipSync(bytes), { "content-encoding": "gzip" }) : await push(bytes);
        expect([200, 400]).toContain(answer.status);
      }),
      { numRuns: cases(2000) },
    );
    expect((await push("a 1\n")).status).toBe(200);
    expect(exporter.metrics.inFlightBytes.value()).toBe(0);
  });

  it("when clients go away in the middle of a body", async () => {
    for (let at = 0; at < 20; at += 1) {
      await new Promise<void>((resolve) => {
        const socket = createConnection(server.port, "127.0.0.1", () => {
          socket.write("POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\na 1\n", () =>
            socket.destroy(),
          );
        });
        socket.on("close", () => resolve());
      });
    }
    expect((await push("a 1\n")).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(exporter.metrics.inFlightBytes.value()).toBe(0);
  });

  it("under more bytes than it may hold: 503 with Retry-After, then it goes on", async () => {
    for (const hub of hubs) hub.mood = "hang";
    const body = Buffer.concat([Buffer.from("a 1\n"), Buffer.alloc(60_000, "\n")]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => push(body)));
    const busy = answers.filter(({ text }) => text.includes("too many bytes in hand"));
    expect(busy.length).toBeGreaterThan(0);
    expect(busy[0]?.status).toBe(503);
    expect(busy[0]?.headers["retry-after"]).toBe("1");
    for (const hub of hubs) hub.mood = "ok";
    expect((await push("a 1\n")).status).toBe(200);
  });
});
