import type { Server } from "node:http";
import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseValue, PrometheusApi, PrometheusApiError } from "../../../tools/prometheus-api";

let server: Server;
let url = "";
let status = 200;
let reply = "";
let seen: { path: string | undefined; body: string }[] = [];

beforeEach(async () => {
  seen = [];
  status = 200;
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ path: request.url, body });
      if (reply === "never") return;
      response.writeHead(status);
      response.end(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const success = (data: unknown, more: object = {}): string => JSON.stringify({ status: "success", data, ...more });
const vector = (...values: string[]): string =>
  success({
    resultType: "vector",
    result: values.map((value, i) => ({ metric: { i: String(i) }, value: [12.345, value] })),
  });

describe("the client", () => {
  test("reads vectors, with times in ms, and every kind of number", async () => {
    reply = vector("1.5", "NaN", "+Inf", "-Inf");
    const { samples } = await new PrometheusApi(url).vector("up", 1_700_000_000_123);
    expect(samples.map(({ value }) => value)).toEqual([1.5, NaN, Infinity, -Infinity]);
    expect(samples[0]).toEqual({ labels: { i: "0" }, timestamp: 12_345, value: 1.5 });
    expect(seen).toEqual([{ path: "/api/v1/query", body: "query=up&time=1700000000.123" }]);
  });

  test("reads matrices, scalars and strings", async () => {
    const api = new PrometheusApi(url);
    reply = success({
      resultType: "matrix",
      result: [
        {
          metric: { a: "b" },
          values: [
            [1, "2"],
            [3, "4"],
          ],
        },
      ],
    });
    expect(await api.queryRange("up", 0, 60_000, 15)).toMatchObject({
      type: "matrix",
      series: [
        {
          labels: { a: "b" },
          values: [
            [1_000, 2],
            [3_000, 4],
          ],
        },
      ],
    });
    expect(seen[0]).toEqual({ path: "/api/v1/query_range", body: "query=up&start=0.000&end=60.000&step=15" });
    reply = success({ resultType: "scalar", result: [1, "7"] });
    expect(await api.query("7")).toMatchObject({ type: "scalar", value: 7 });
    reply = success({ resultType: "string", result: [1, "text"] });
    expect(await api.query('"text"')).toMatchObject({ type: "string", text: "text" });
  });

  test("hands warnings on", async () => {
    reply = success({ resultType: "vector", result: [] }, { warnings: ["a part is missing"] });
    expect((await new PrometheusApi(url).vector("up")).warnings).toEqual(["a part is missing"]);
  });

  test("an error of the server is an error with its words", async () => {
    status = 422;
    reply = JSON.stringify({ status: "error", errorType: "execution", error: "shard 1 is away" });
    const api = new PrometheusApi(url);
    await expect(api.query("up")).rejects.toThrow("query up failed (HTTP 422, execution): shard 1 is away");
    await expect(api.query("up")).rejects.toBeInstanceOf(PrometheusApiError);
    expect(seen).toHaveLength(2);
  });

  test.each([
    ["text that is no JSON", "upstream connect error", /no JSON\): upstream connect error/],
    [
      "another shape",
      JSON.stringify({ status: "success", data: { resultType: "vector", result: [{}] } }),
      /unexpected reply/,
    ],
    ["another status", JSON.stringify({ status: "maybe" }), /unexpected reply/],
  ])("%s is an error", async (_what, text, expected) => {
    reply = text;
    await expect(new PrometheusApi(url).query("up")).rejects.toThrow(expected);
  });

  test("number: one value, the default for none, an error for several or another type", async () => {
    const api = new PrometheusApi(url);
    reply = vector("3");
    expect(await api.number("x")).toBe(3);
    reply = vector();
    expect(await api.number("x")).toBe(0);
    expect(await api.number("x", undefined, NaN)).toBeNaN();
    reply = vector("1", "2");
    await expect(api.number("x")).rejects.toThrow(/2 values instead of one/);
    reply = success({ resultType: "scalar", result: [1, "7"] });
    await expect(api.vector("x")).rejects.toThrow(/a scalar instead of a vector/);
  });

  test("tries again while nothing listens, then says so with the cause", async () => {
    const address = new URL(url);
    await new Promise((resolve) => server.close(resolve));
    const api = new PrometheusApi(url, { connectionAttempts: 3, retryMilliseconds: 10 });
    await expect(api.query("up")).rejects.toThrow(/no connection\): .*ECONNREFUSED/);
    const waiting = new PrometheusApi(url, { connectionAttempts: 50, retryMilliseconds: 20 }).number("x");
    reply = vector("9");
    await new Promise<void>((resolve) => server.listen(Number(address.port), "127.0.0.1", resolve));
    expect(await waiting).toBe(9);
  });

  test("does not wait for ever", async () => {
    reply = "never";
    const api = new PrometheusApi(url, { timeoutMilliseconds: 50 });
    await expect(api.query("up")).rejects.toThrow(/no answer\): after 50 ms/);
    reply = "";
  });

  test("shortens long queries in errors", async () => {
    reply = "x";
    const error = await new PrometheusApi(url).query("a".repeat(300)).catch((caught: unknown) => caught);
    expect((error as Error).message).toContain(`${"a".repeat(200)}...`);
  });

  test.each([
    ["1e+06", 1_000_000],
    ["+Inf", Infinity],
    ["-Inf", -Infinity],
    ["0.1", 0.1],
  ])("%s is %d", (text, expected) => {
    expect(parseValue(text)).toBe(expected);
  });
});
