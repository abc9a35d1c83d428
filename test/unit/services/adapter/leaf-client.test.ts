import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GrpcError, grpcStatus } from "../../../../services/plumbing/grpc";
import { bytesField } from "../../../../services/plumbing/protobuf";
import { adapterConfig, FakeLeaf, FakePrometheus, queryRequest, received, TestAdapter } from "./fakes";

const instant = "/thanos.Query/Query";
const now = Math.floor(Date.now() / 1000);

describe("a leaf that is waited for", () => {
  const leaf = new FakeLeaf();
  const adapter = new TestAdapter();
  const config = () => adapterConfig({ replicas: [{ name: "a" }], leaf: leaf.url });

  beforeEach(async () => {
    leaf.sees = ["a"];
    await leaf.start();
    await adapter.start(config());
  });
  afterEach(async () => {
    await adapter.stop();
    await leaf.stop();
  });

  it("is not asked for a client that has gone meanwhile", async () => {
    leaf.sees = [];
    const gone = new AbortController();
    const call = adapter.refusal(adapter.call(instant, queryRequest({ end: now }), 20_000, gone.signal));
    await expect.poll(() => adapter.metrics()).toContain("adapter_leaf_retries_total 1\n");
    gone.abort();
    await call;
    leaf.sees = ["a"];
    await expect.poll(() => adapter.metrics()).toContain("adapter_in_flight_calls 0\n");
    expect(leaf.asked).toStrictEqual([]);
  });

  it("is asked again when a Prometheus behind it replays its log: soon its sidecar tells that it is not ready", async () => {
    const text =
      "receive series from Addr: x: rpc error: code = Unknown desc = query Prometheus: request failed with code 503 Service Unavailable; msg Service Unavailable";
    let refusals = 1;
    leaf.reply = (call) => {
      if (refusals-- > 0) throw new GrpcError(grpcStatus.aborted, text);
      return call.send(bytesField(1, "from the leaf"));
    };
    const answer = received(await adapter.call(instant, queryRequest({ end: now })));
    expect(answer.warnings).toStrictEqual(["from the leaf"]);
  });

  it("gives no answer while its Prometheus is not ready: what was written meanwhile is in the hub", async () => {
    const a = await new FakePrometheus().start();
    a.isReady = false;
    await adapter.stop();
    await adapter.start({ ...config(), replicas: [{ name: "a", url: a.url }] });
    const call = () => adapter.refusal(adapter.call(instant, queryRequest({ end: now })));
    expect(await call()).toStrictEqual({ code: grpcStatus.unavailable, message: "shard 0: replica a is not ready" });
    a.isReady = true;
    await expect.poll(async () => (await call()).code, { timeout: 5_000 }).toBe(grpcStatus.ok);
    await a.stop();
  });
});
