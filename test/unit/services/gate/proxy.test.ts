import { createServer, request, type IncomingMessage } from "node:http";
import { createConnection } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ProxyMetrics } from "../../../../services/plumbing/forward";
import { gateServer } from "../../../../services/gate/proxy";
import { eventually, send, serve, textOf, type TestServer } from "../http-helpers";

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let upstream: TestServer;
let gate: TestServer;
let metrics: ProxyMetrics;
let seen: Seen[];
let aborted: number;
let draining: boolean;

beforeEach(async () => {
  seen = [];
  aborted = 0;
  draining = false;
  upstream = await serve(
    createServer((incoming, response) => {
      if (incoming.url === "/api/v1/query?slow") {
        response.on("close", () => (aborted += 1));
        return;
      }
      if (incoming.url === "/federate?stream") {
        response.write("first\n");
        response.on("close", () => (aborted += 1));
        return;
      }
      if (incoming.url === "/federate?cut") {
        response.write("first\n", () => response.destroy());
        return;
      }
      void textOf(incoming).then((body) => {
        seen.push({ method: incoming.method, url: incoming.url, headers: incoming.headers, body });
        response.writeHead(incoming.url === "/graph" ? 302 : 422, {
          "content-type": "application/json",
          "x-own": "kept",
          location: "/query",
          connection: "x-private, close",
          "x-private": "dropped",
        });
        response.end(`{"got":${String(body.length)}}`);
      });
    }),
  );
  metrics = new ProxyMetrics();
  gate = await serve(gateServer({ upstream: upstream.url, metrics, draining: () => draining }));
});
afterEach(async () => {
  await gate.close();
  await upstream.close();
});

describe("passing on", () => {
  it("keeps method, path, parameters, status, headers and body", async () => {
    const answer = await send(gate.url, "GET", "/api/v1/query?query=up%7Ba%3D%22b%22%7D&time=5");
    expect([answer.status, answer.text, answer.headers["x-own"]]).toStrictEqual([422, '{"got":0}', "kept"]);
    expect(seen[0]).toMatchObject({ method: "GET", url: "/api/v1/query?query=up%7Ba%3D%22b%22%7D&time=5", body: "" });
    expect(metrics.requests.value({ route: "/api/v1/query", code: "422" })).toBe(1);
  });

  it("streams a form of any size", async () => {
    const body = `query=${"x".repeat(3_000_000)}`;
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await send(gate.url, "POST", "/api/v1/query", { body, headers })).text).toBe(
      `{"got":${String(body.length)}}`,
    );
    expect(seen[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
  });

  it("passes redirects on instead of following them", async () => {
    const answer = await send(gate.url, "GET", "/graph");
    expect([answer.status, answer.headers.location]).toStrictEqual([302, "/query"]);
  });

  it("drops headers of the connection, those it names, and the client's Host, both ways", async () => {
    const headers = { connection: "x-secret", "x-secret": "1", te: "trailers", host: "evil.example", "x-kept": "2" };
    const answer = await send(gate.url, "GET", "/metrics", { headers });
    expect(seen[0]?.headers).toMatchObject({ host: new URL(upstream.url).host, "x-kept": "2" });
    expect(seen[0]?.headers).not.toHaveProperty("x-secret");
    expect(seen[0]?.headers).not.toHaveProperty("te");
    expect(answer.headers).not.toHaveProperty("x-private");
  });

  it("does not pass on the body of a GET", async () => {
    const headers = { "content-length": "4" };
    expect((await send(gate.url, "GET", "/metrics", { body: "abcd", headers })).status).toBe(422);
    expect(seen[0]).toMatchObject({ body: "" });
    expect(seen[0]?.headers).not.toHaveProperty("content-length");
  });

  it("streams answers: the first byte comes before the last", async () => {
    const outgoing = request(`${gate.url}/federate?stream`, { agent: false });
    outgoing.on("error", () => undefined);
    const first = await new Promise<string>((resolve) => {
      outgoing.on("response", (incoming) => {
        incoming.on("error", () => undefined);
        incoming.once("data", (chunk: Buffer) => resolve(chunk.toString()));
      });
      outgoing.end();
    });
    expect(first).toBe("first\n");
    outgoing.destroy();
    await eventually(() => aborted === 1);
  });

  it("tells the upstream when the client goes away", async () => {
    const outgoing = request(`${gate.url}/api/v1/query?slow`, { agent: false });
    outgoing.on("error", () => undefined);
    outgoing.end();
    await eventually(() => metrics.inFlight.value() === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    outgoing.destroy();
    await eventually(() => aborted === 1 && metrics.inFlight.value() === 0);
  });

  it("ends connections while draining", async () => {
    draining = true;
    expect((await send(gate.url, "GET", "/metrics")).headers.connection).toBe("close");
  });
});

describe("refusing", () => {
  it.each([
    ["POST", "/api/v1/write", "forbidden: this path is not on the gate's list\n"],
    ["POST", "/-/reload", "forbidden: this path is not on the gate's list\n"],
    ["DELETE", "/api/v1/query", "forbidden: method DELETE is not on the gate's list for this path\n"],
    ["GET", "/api/v1/query/%2e%2e/write", "forbidden: this path is not on the gate's list\n"],
    ["GET", "//api/v1/query", "forbidden: this path is not on the gate's list\n"],
    ["GET", "http://x/api/v1/query", "forbidden: the request target must be a path\n"],
  ])("%s %s: 403 with one line", async (method, path, text) => {
    const answer = await send(gate.url, method, path, method === "GET" ? {} : { body: "x".repeat(100_000) });
    expect([answer.status, answer.text]).toStrictEqual([403, text]);
    expect(seen).toStrictEqual([]);
    expect(metrics.refused.value()).toBe(1);
  });

  it("414: a URL beyond the limit", async () => {
    const answer = await send(gate.url, "GET", `/api/v1/query?query=${"x".repeat(33_000)}`);
    expect([answer.status, answer.text]).toStrictEqual([
      414,
      "the URL is longer than 32768 bytes; send the query with POST\n",
    ]);
  });

  it("431: headers beyond the limit", async () => {
    expect((await send(gate.url, "GET", "/metrics", { headers: { "x-large": "x".repeat(60_000) } })).status).toBe(431);
  });

  it("400: two requests hidden in one (length and chunks at once)", async () => {
    const text = await new Promise<string>((resolve) => {
      let received = "";
      const socket = createConnection(gate.port, "127.0.0.1", () => {
        socket.write(
          "POST /api/v1/query HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n" +
            "0\r\n\r\nPOST /api/v1/write HTTP/1.1\r\nhost: x\r\n\r\n",
        );
      });
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.on("close", () => resolve(received));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toStrictEqual([]);
  });

  it("answers an upgrade as a plain request", async () => {
    const headers = { connection: "upgrade", upgrade: "websocket" };
    expect((await send(gate.url, "GET", "/api/v1/write", { headers })).status).toBe(403);
  });
});

describe("upstream in trouble", () => {
  it("down: 502 that names it", async () => {
    await upstream.close();
    const answer = await send(gate.url, "GET", "/-/ready");
    expect(answer.status).toBe(502);
    expect(answer.text).toContain(`bad gateway: upstream ${upstream.url} did not answer: connect ECONNREFUSED`);
    expect(metrics.upstreamFailures.value()).toBe(1);
  });

  it("cut in the middle of an answer: the client sees it cut, not ended", async () => {
    await expect(send(gate.url, "GET", "/federate?cut")).rejects.toThrow();
  });
});
