import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HubClient } from "../../../../services/exporter/hub-client";
import { FakeHub, serve, type TestServer } from "../http-helpers";
import { createServer } from "node:http";

const body = Buffer.from("a 1 5\n");
let hub: FakeHub;

beforeEach(async () => {
  hub = await new FakeHub().start();
});
afterEach(() => hub.stop());

/** Long enough for an answer on a busy machine. */
const patience = 10_000;

function client(onRetry?: () => void, timeout = patience): HubClient {
  return new HubClient({ replica: "a", url: hub.url }, timeout, onRetry);
}

describe("push", () => {
  it("is stored with 200 only", async () => {
    expect(await client().push(body)).toStrictEqual({ kind: "stored" });
    expect(hub.stored).toStrictEqual(["a 1 5\n"]);
  });

  it.each([
    ["full", "full"],
    ["error", "status-5xx"],
    ["empty", "empty-reply"],
    ["hang", "timeout"],
    ["redirect", "unexpected-status"],
  ] as const)("to a hub that is in the mood %s failed with %s", async (mood, failure) => {
    hub.mood = mood;
    const timeout = mood === "hang" ? 300 : patience;
    expect(await client(undefined, timeout).push(body)).toMatchObject({ kind: "failed", failure });
    expect(hub.pushes).toBe(1);
  });

  it("to nobody is refused", async () => {
    const one = client();
    await hub.stop();
    expect(await one.push(body)).toMatchObject({ kind: "failed", failure: "refused" });
  });

  it("to a name that is not known is refused", async () => {
    const one = new HubClient({ replica: "a", url: "http://no-such-hub.invalid:9091" }, 2000);
    expect(await one.push(body)).toMatchObject({ kind: "failed", failure: "refused" });
  });

  it("that the hub calls bad is a bad payload, with what it said", async () => {
    hub.mood = "bad";
    expect(await client().push(body)).toStrictEqual({ kind: "bad-payload", detail: "400 error parsing metrics" });
  });

  it("answered by something that is no HTTP is an empty reply", async () => {
    const server = createServer();
    server.on("connection", (socket) => socket.end("nonsense\r\n\r\n"));
    const nonsense: TestServer = await serve(server);
    expect(await new HubClient({ replica: "a", url: nonsense.url }, patience).push(body)).toMatchObject({
      kind: "failed",
      failure: "empty-reply",
    });
    await nonsense.close();
  });
});

describe("connections", () => {
  it("are kept alive", async () => {
    const one = client();
    for (let at = 0; at < 5; at += 1) await one.push(body);
    expect(hub.sockets.size).toBe(1);
  });

  it("that the hub closed in the meantime cost one repeat, no failure", async () => {
    let retries = 0;
    const one = client(() => (retries += 1));
    await one.push(body);
    hub.mood = "empty";
    const pushed = one.push(body);
    expect(await pushed).toMatchObject({ kind: "failed", failure: "empty-reply" });
    expect(retries).toBe(1);
    expect(hub.pushes).toBe(3);
    hub.mood = "ok";
    expect(await one.push(body)).toStrictEqual({ kind: "stored" });
  });

  it("are given up after five seconds, so that a hub being taken down is left", async () => {
    const realNow = Date.now;
    let shift = 0;
    Date.now = () => realNow() + shift;
    try {
      const one = client();
      await one.push(body);
      shift = 4_900;
      await one.push(body);
      expect(hub.sockets.size).toBe(1);
      shift = 5_100;
      await one.push(body);
      expect(hub.sockets.size).toBe(2);
    } finally {
      Date.now = realNow;
    }
  });
});

describe("probe", () => {
  it("asks / and never /metrics", async () => {
    expect(await client().probe()).toBe(true);
    expect([hub.probes, hub.pushes]).toStrictEqual([1, 0]);
  });

  it("is false when nobody answers", async () => {
    const one = client();
    await hub.stop();
    expect(await one.probe()).toBe(false);
  });
});
