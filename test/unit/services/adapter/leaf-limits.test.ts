import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bytesField, fieldsOf, varintField } from "../../../../services/plumbing/protobuf";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { adapterConfig, FakeLeaf, FakePrometheus, queryRequest, received, TestAdapter, vector } from "./fakes";

const instant = "/thanos.Query/Query";
const names = "/thanos.Store/LabelValues";
const now = Math.floor(Date.now() / 1000);

describe("queries that a leaf answers wrongly", () => {
  const a = new FakePrometheus();
  const leaf = new FakeLeaf();
  const adapter = new TestAdapter();

  beforeEach(async () => {
    await Promise.all([a.start(), leaf.start()]);
    a.reply = () => vector([1]);
    a.hasUnlabelled = false;
    leaf.sees = ["a"];
    leaf.reply = (call) => call.send(bytesField(1, "from the leaf"));
    await adapter.start(config());
  });

  const config = () => adapterConfig({ replicas: [{ name: "a", url: a.url }], leaf: leaf.url });
  afterEach(async () => {
    await adapter.stop();
    await Promise.all([a.stop(), leaf.stop()]);
  });

  /** Without a plan only the leaf can be asked. */
  const forLeaf = (query: string) => adapter.call(instant, queryRequest({ end: now }, { query, hasPlan: false }));

  it.each([
    ["sum(resets(x[1h]))", "resets() would be too small here"],
    ['sum(x{prometheus_replica="a"})', "prometheus_replica is no label of any series"],
    ['{"prometheus_replica"!~"b", __name__="x"}', "prometheus_replica is no label of any series"],
  ])("%s is answered by Prometheus, and refused where only the leaf could answer", async (query, problem) => {
    const answer = received(await adapter.call(instant, queryRequest({ end: now }, { query })));
    expect(answer.points).toHaveLength(1);
    const { code, message } = await adapter.refusal(forLeaf(query));
    expect(code).toBe(grpcStatus.aborted);
    expect(message).toContain(`shard 0: ${problem}`);
    expect(message).toContain("(no replica can answer alone: no plan)");
    expect(leaf.asked).toStrictEqual([]);
  });

  it.each(['sum(x{text="resets("})', "sum by (prometheus_replica) (x)", 'x{a="prometheus_replica=1"}'])(
    "%s is answered by the leaf",
    async (query) => {
      expect(received(await forLeaf(query)).warnings).toStrictEqual(["from the leaf"]);
    },
  );

  const resets = (milliseconds?: number) => {
    const matchers = [
      { Type: 0, Name: "__name__", Value: "x" },
      { Type: 2, Name: "gatewayID", Value: "gw.*" },
    ];
    const request = queryRequest({ end: now }, { query: "resets(x[1h])", data: { LabelMatchers: matchers } });
    return adapter.call(instant, request, milliseconds);
  };

  it("a leaf that alone answers for its shard, as the Rulers', is asked about resets of series that it does not have", async () => {
    a.hasUnlabelled = true;
    await adapter.stop();
    await adapter.start(config());
    leaf.reply = async (call) => call.send(call.path === names ? Buffer.alloc(0) : bytesField(1, "from the leaf"));
    expect(received(await resets()).warnings).toStrictEqual(["from the leaf"]);
    const asked = fieldsOf(leaf.asked.find(({ path }) => path === names)?.request ?? Buffer.alloc(0));
    expect(asked.map(({ number }) => number)).toStrictEqual([1, 4, 5, 7, 7, 9, 2, 3]);
    expect(asked[4]?.bytes).toStrictEqual(
      Buffer.concat([varintField(1, 2), bytesField(2, "gatewayID"), bytesField(3, "gw.*")]),
    );
    leaf.reply = (call) => call.send(bytesField(1, call.path === names ? "x" : "from the leaf"));
    expect(await adapter.refusal(resets())).toMatchObject({
      message: expect.stringContaining("resets() would be too small here") as string,
    });
    leaf.sees = [];
    expect(await adapter.refusal(resets(1_000))).toMatchObject({ code: grpcStatus.unavailable });
  });
});
