import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storedLabels } from "../../../../model/stored-series";
import { GateMetrics } from "../../../../services/gate/gate-metrics";
import { MarkerLineError, readMarkerLines } from "../../../../services/gate/marker-lines";
import { Markers } from "../../../../services/gate/markers";
import { gateServer } from "../../../../services/gate/proxy";
import { remoteWriteBody } from "../../../../services/gate/remote-write";
import { fieldsOf } from "../../../../services/plumbing/protobuf";
import { send, serve, type TestServer } from "../http-helpers";

const PATH = "/api/v1/stale-markers";
const staleBits = "020000000000f07f";

/** What a remote-write body says, read independently of how it was written: series text, and its samples' bits and times. */
function decoded(body: Buffer): { series: string; bits: string; time: number }[] {
  // One literal: the length in 7 bit groups, a tag, four bytes.
  let at = 0;
  while ((body[at] ?? 0) >= 0x80) at += 1;
  expect(body[at + 1]).toBe(0xfc);
  const content = body.subarray(at + 6);
  expect(body.readUInt32LE(at + 2)).toBe(content.length - 1);
  const fields = fieldsOf(content);
  const symbols = fields.filter(({ number }) => number === 4).map(({ bytes }) => bytes.toString());
  expect(symbols[0]).toBe("");
  return fields
    .filter(({ number }) => number === 5)
    .flatMap(({ bytes }) => {
      const parts = fieldsOf(bytes);
      expect(parts.map(({ number }) => number)).toStrictEqual([1, 2, 2]);
      const refs: number[] = [];
      let value = 0;
      let shift = 0;
      for (const byte of parts[0]?.bytes ?? []) {
        value += (byte & 0x7f) << shift;
        shift += 7;
        if (byte < 0x80) {
          refs.push(value);
          value = 0;
          shift = 0;
        }
      }
      const texts = refs.map((ref) => symbols[ref] ?? "?");
      const series = texts.map((text, index) => (index % 2 === 0 ? text : JSON.stringify(text))).join(" ");
      return parts.slice(1).map((part) => {
        expect(part.bytes[0]).toBe(0x09);
        const [, time] = fieldsOf(part.bytes);
        return { series, bits: part.bytes.subarray(1, 9).toString("hex"), time: time?.value ?? 0 };
      });
    });
}

/** A Prometheus that takes remote writes as it is told. */
let reply: { status: number; written?: number };
let writes: { url: string; headers: IncomingHttpHeaders; body: Buffer }[];
let upstream: TestServer;
let gate: TestServer;
let metrics: GateMetrics;

function fakePrometheus(): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      writes.push({ url: request.url ?? "", headers: request.headers, body });
      const written = reply.written ?? (request.url === "/api/v1/write" ? decoded(body).length : 0);
      response.writeHead(reply.status, { "x-prometheus-remote-write-samples-written": String(written) });
      response.end(reply.status < 300 ? "" : "out of order sample");
    });
  });
}

beforeEach(async () => {
  reply = { status: 204 };
  writes = [];
  metrics = new GateMetrics();
  upstream = await serve(fakePrometheus());
  const labels = { cluster: "main", shard: "1" };
  const markers = new Markers({ upstream: upstream.url, metrics, labels });
  gate = await serve(gateServer({ upstream: upstream.url, metrics, draining: () => false, markers }));
});
afterEach(async () => {
  await gate.close();
  await upstream.close();
});

const post = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}, path = PATH) =>
  send(gate.url, "POST", path, { body, headers });

describe("ending series", () => {
  it("writes the staleness marker under the stored name, at the time and a millisecond later", async () => {
    const answer = await post('up{gatewayID="g",job="x"} 1000\n');
    expect([answer.status, JSON.parse(answer.text)]).toStrictEqual([200, { written: 2, refused: 0 }]);
    const [write] = writes;
    expect(write?.url).toBe("/api/v1/write");
    expect(write?.headers).toMatchObject({
      "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
      "content-encoding": "snappy",
      "x-prometheus-remote-write-version": "2.0.0",
    });
    const series = '__name__ "up" cluster "main" gatewayID "g" job "x" shard "1"';
    expect(decoded(write?.body ?? Buffer.alloc(0))).toStrictEqual([
      { series, bits: staleBits, time: 1000 },
      { series, bits: staleBits, time: 1001 },
    ]);
    expect(metrics.markers.value({ result: "written" })).toBe(2);
  });

  it("takes gzip, escapes, and a body without lines", async () => {
    const answer = await post(gzipSync('a{b="x\\"y\\\\z\\n"} 5\n'), { "content-encoding": "gzip" });
    expect(answer.status).toBe(200);
    expect(decoded(writes[0]?.body ?? Buffer.alloc(0))[0]?.series).toContain(`b ${JSON.stringify('x"y\\z\n')}`);
    expect((await post("")).status).toBe(200);
    expect(writes).toHaveLength(1);
  });

  it("is done when Prometheus refused only some: they have a sample at that very millisecond", async () => {
    reply = { status: 400, written: 3 };
    const answer = await post("a 5\nb 5\n");
    expect([answer.status, JSON.parse(answer.text)]).toStrictEqual([200, { written: 3, refused: 1 }]);
    expect(metrics.markers.value({ result: "refused" })).toBe(1);
  });

  it.each([404, 415, 500, 503])("503 when Prometheus answers %i: it should come again", async (status) => {
    reply = { status };
    const answer = await post("a 5\n");
    expect([answer.status, answer.headers["retry-after"]]).toStrictEqual([503, "1"]);
    expect(answer.text).toContain(`Prometheus answered ${String(status)}: out of order sample`);
  });

  it("502 while Prometheus is away", async () => {
    await upstream.close();
    expect((await post("a 5\n")).status).toBe(502);
  });
});

describe("what is refused", () => {
  it.each([
    ["a value", "a 1 5\n", "line 1: expected a blank, a time in milliseconds and the end of the line"],
    ["no time", "b 5\na\n", "line 2: expected a blank, a time"],
    ["no name", '{a="x"} 5\n', "line 1: expected a metric name"],
    ["a label twice", 'a{b="x",b="y"} 5\n', "line 1: label b is there twice"],
    ["the name as a label", 'a{__name__="b"} 5\n', "line 1: label __name__ is there twice"],
    ["an empty value", 'a{b=""} 5\n', "line 1: expected a label"],
    ["a comma at the end", 'a{b="x",} 5\n', "line 1: expected a label"],
    ["no end of the line", "a 5", "line 1: expected a blank, a time"],
    ["a time below zero", "a -5\n", "line 1: expected a blank, a time"],
    ["a time beyond any", "a 1000000000000000\n", "line 1: expected a blank, a time"],
  ])("%s", async (_, text, reason) => {
    const answer = await post(text);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(reason);
    expect(writes).toStrictEqual([]);
  });

  it("too much, packed or not, and other encodings", async () => {
    const large = Buffer.alloc(5 * 1024 * 1024, "a");
    expect((await post(large)).status).toBe(413);
    expect((await post(gzipSync(large), { "content-encoding": "gzip" })).status).toBe(413);
    expect((await post("a 5\n", { "content-encoding": "snappy" })).status).toBe(415);
    expect(writes).toStrictEqual([]);
  });

  it("remote write itself, whatever its body, and every other spelling and method of this path", async () => {
    const body = remoteWriteBody([{ labels: [["__name__", "a"]], timestamp: 5 }]);
    expect((await post(body, { "content-encoding": "snappy" }, "/api/v1/write")).status).toBe(403);
    for (const path of [`${PATH}/`, `/${PATH}`, `${PATH}?a=b`, "/api/v1/stale%2dmarkers"]) {
      expect([path, (await post("a 5\n", {}, path)).status]).toStrictEqual([path, 403]);
    }
    expect((await send(gate.url, "GET", PATH)).status).toBe(403);
    expect(writes).toStrictEqual([]);
  });

  it("on a port that is not for exporters, all of it", async () => {
    const plain = await serve(gateServer({ upstream: upstream.url, metrics, draining: () => false }));
    try {
      expect((await send(plain.url, "POST", PATH, { body: "a 5\n" })).status).toBe(403);
    } finally {
      await plain.close();
    }
    expect(writes).toStrictEqual([]);
  });
});

describe("whatever is sent", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "up",
      "{",
      "}",
      'a="b"',
      ",",
      '"',
      "\\",
      "\n",
      " ",
      " 5\n",
      "1e3",
      "NaN",
      "__name__",
      'shard="0"',
      'cluster="x"',
    ),
    fc.string({ maxLength: 5, unit: "binary" }),
  );

  it("Prometheus gets nothing but staleness markers for series of this shard", () => {
    let read = 0;
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }),
        fc.nat(9).map((n) => n === 0),
        (pieces, isPlain) => {
          // Mostly broken lines, and some that are as they should be.
          const text = isPlain ? 'up{a="b",shard="0"} 5\ndown 6\n' : pieces.join("");
          let lines;
          try {
            lines = readMarkerLines(text);
          } catch (error) {
            expect(error).toBeInstanceOf(MarkerLineError);
            return;
          }
          read += lines.length;
          const ended = lines.map(({ labels, timestamp }) => ({
            labels: storedLabels(labels, { cluster: "main", shard: "1" }),
            timestamp,
          }));
          for (const { series, bits } of decoded(remoteWriteBody(ended))) {
            expect(bits).toBe(staleBits);
            expect(series).toContain(' shard "1"');
            expect(series).toContain(' cluster "main"');
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(50);
  });

  it("no bytes on the path make it write a value: what is refused is refused whole", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isPacked) => {
        const before = writes.length;
        const answer = await post(Buffer.from(bytes), isPacked ? { "content-encoding": "gzip" } : {});
        if (answer.status === 200)
          expect(
            writes
              .slice(before)
              .flatMap(({ body }) => decoded(body))
              .every(({ bits }) => bits === staleBits),
          ).toBe(true);
        else expect(writes.length).toBe(before);
      }),
      { numRuns: 200 },
    );
  });
});

describe("stored names", () => {
  const stored = (pushed: Readonly<Record<string, string>>) =>
    Object.fromEntries(storedLabels(Object.entries(pushed), { cluster: "main", shard: "1" }));

  it("are the pushed labels, cluster and shard; pushed ones of these names make way", () => {
    const own = { cluster: "main", shard: "1" };
    expect(stored({ __name__: "up", a: "b" })).toStrictEqual({ __name__: "up", a: "b", ...own });
    expect(stored({ job: "x", instance: "y" })).toStrictEqual({ job: "x", instance: "y", ...own });
    expect(stored({ shard: "7", cluster: "c" })).toStrictEqual({ exported_shard: "7", exported_cluster: "c", ...own });
    expect(stored({ job: "x", exported_job: "y" })).toStrictEqual({ job: "x", exported_job: "y", ...own });
    expect(stored({ shard: "7", exported_shard: "8" })).toStrictEqual({
      exported_shard: "8",
      exported_exported_shard: "7",
      ...own,
    });
  });
});
