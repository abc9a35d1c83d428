import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { FakeLeaf, FakePrometheus, queryRequest, received, TestAdapter, vector } from "./fakes";

const instant = "/thanos.Query/Query";
const now = Math.floor(Date.now() / 1000);

describe("queries that a leaf answers wrongly", () => {
  const a = new FakePrometheus();
  const leaf = new FakeLeaf();
  const adapter = new TestAdapter();

  beforeEach(async () => {
    await Promise.all([a.start(), leaf.start()]);
    a.reply = () => vector([1]);
    await adapter.start({
      cluster: "main",
      shard: "0",
      replicaLabel: "prometheus_replica",
      replicas: [{ name: "a", url: a.url }],
      leaf: leaf.url,
      hasBucket: false,
      retentionSeconds: 86_400,
      lookbackSeconds: 300,
      timeoutSeconds: 30,
      maxSamples: 50_000,
      settleSeconds: 120,
      maxAgeSeconds: 0,
      maxFutureSeconds: 0,
    });
  });
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
});
