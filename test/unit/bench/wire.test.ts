import { once } from "node:events";
import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePorts } from "../../../bench/query/processes";
import { Recorder, WireClient } from "../../../bench/query/wire";

/** A gRPC endpoint that answers with the question and counts. */
class Echo {
  asked = 0;
  readonly server: Http2Server = createServer();

  constructor() {
    this.server.on("stream", (stream) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
        this.asked += 1;
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => {
          stream.sendTrailers({ "grpc-status": "0", "x-count": String(this.asked) });
        });
        stream.end(Buffer.concat([Buffer.from("answer to "), ...chunks]));
      })();
    });
  }

  async listen(): Promise<number> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return (this.server.address() as AddressInfo).port;
  }
}

describe("the recorder before an endpoint", () => {
  const path = "/thanos.Store/LabelNames";
  let echo: Echo;
  let recorder: Recorder;
  let client: WireClient;

  beforeEach(async () => {
    echo = new Echo();
    recorder = new Recorder(await echo.listen());
    const [port = 0] = await freePorts(1);
    await recorder.listen(port);
    client = new WireClient(port);
  });

  afterEach(() => {
    client.close();
    recorder.close();
    echo.server.close();
  });

  it("passes requests on and keeps them with their answers", async () => {
    const reply = await client.call({ path, body: Buffer.from("one") });
    expect(reply.body.toString()).toBe("answer to one");
    expect(reply.status).toBe("0");
    expect(recorder.captured.map(({ body, reply: kept }) => [body.toString(), kept.body.toString()])).toEqual([
      ["one", "answer to one"],
    ]);
  });

  it("answers by itself afterwards, byte for byte, and the endpoint rests", async () => {
    const large = Buffer.alloc(3_000_000, "x");
    const recorded = await client.call({ path, body: large });
    recorder.replay();
    const replayed = await client.call({ path, body: large });
    expect(replayed.body.equals(recorded.body)).toBe(true);
    expect(replayed.status).toBe("0");
    expect(echo.asked).toBe(1);
    expect(recorder.misses).toBe(0);
  });

  it("counts what it has no answer for, and gives an error instead of asking", async () => {
    recorder.replay();
    expect((await client.call({ path, body: Buffer.from("new") })).status).toBe("14");
    expect(recorder.misses).toBe(1);
    expect(echo.asked).toBe(0);
  });

  it("forgets when it records anew", async () => {
    await client.call({ path, body: Buffer.from("one") });
    recorder.record();
    expect(recorder.captured).toEqual([]);
  });

  it("says UNAVAILABLE when nobody listens", async () => {
    const [port = 0] = await freePorts(1);
    const nobody = new WireClient(port);
    expect((await nobody.call({ path, body: Buffer.alloc(0) })).status).toBe("14");
    nobody.close();
  });
});
