import { createServer } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CaughtUp } from "../../../../services/gate/caught-up";
import { ProxyMetrics } from "../../../../services/plumbing/forward";
import { gateServer } from "../../../../services/gate/proxy";
import { send, serve, type TestServer } from "../http-helpers";

const NEVER = "0001-01-01T00:00:00Z";
const ONCE = "2026-01-01T00:00:15.5Z";

/** What Prometheus says of itself. */
let ready: boolean;
let headMinimum: number;
let scrapes: readonly string[];
let now: number;
let asked: string[];

let prometheus: TestServer;
let gate: TestServer;

beforeEach(async () => {
  [ready, headMinimum, scrapes, now, asked] = [true, 1_000, [NEVER], 0, []];
  prometheus = await serve(
    createServer((incoming, response) => {
      const path = incoming.url ?? "";
      asked.push(path);
      if (path === "/metrics") {
        response.end(
          `# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.0005e+03\n` +
            `prometheus_tsdb_head_min_time_seconds ${String(headMinimum)}\n`,
        );
      } else if (path === "/api/v1/targets?state=active&scrapePool=hub") {
        response.end(JSON.stringify({ data: { activeTargets: scrapes.map((lastScrape) => ({ lastScrape })) } }));
      } else {
        response.writeHead(ready ? 200 : 503).end(ready ? "ready" : "replaying");
      }
    }),
  );
  const caughtUp = new CaughtUp({ upstream: prometheus.url, pool: "hub", now: () => now });
  gate = await serve(
    gateServer({ upstream: prometheus.url, metrics: new ProxyMetrics(), draining: () => false, caughtUp }),
  );
});
afterEach(async () => {
  await gate.close();
  await prometheus.close();
});

async function probe(): Promise<readonly [number, string]> {
  const { status, text } = await send(gate.url, "GET", "/-/ready");
  return [status, text];
}

describe("a Prometheus that was away", () => {
  it("is ready when every hub that it found has been scraped once", async () => {
    scrapes = [ONCE, NEVER];
    expect(await probe()).toStrictEqual([503, "waiting for the first scrape of hub\n"]);
    scrapes = [ONCE, ONCE];
    expect(await probe()).toStrictEqual([200, "ready"]);
    // A hub that comes later, as in its own update, makes nobody wait.
    scrapes = [ONCE, NEVER];
    expect(await probe()).toStrictEqual([200, "ready"]);
  });

  it("is not held back for a hub that does not exist, beyond the time in which it would be found", async () => {
    scrapes = [];
    expect((await probe())[0]).toBe(503);
    now = 14_000;
    expect((await probe())[0]).toBe(503);
    now = 16_000;
    expect((await probe())[0]).toBe(200);
  });

  it("is not held back for more than two minutes, whatever its targets look like", async () => {
    expect((await probe())[0]).toBe(503);
    now = 121_000;
    expect((await probe())[0]).toBe(200);
  });

  it("has to catch up again after the next restart", async () => {
    scrapes = [ONCE];
    expect((await probe())[0]).toBe(200);
    ready = false;
    expect(await probe()).toStrictEqual([503, "replaying"]);
    [ready, scrapes] = [true, [NEVER]];
    expect((await probe())[0]).toBe(503);
  });
});

describe("a new Prometheus", () => {
  it.each([
    ["without samples", 9.223372036854776e15],
    ["with samples of its own time only", 1_001],
  ])("%s is ready when it says so", async (_, minimum) => {
    headMinimum = minimum;
    expect(await probe()).toStrictEqual([200, "ready"]);
    expect(asked).not.toContain("/api/v1/targets?state=active&scrapePool=hub");
  });
});

describe("a Prometheus that does not answer", () => {
  it("is reported as before", async () => {
    await prometheus.close();
    expect((await probe())[0]).toBe(502);
  });
});
