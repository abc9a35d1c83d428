import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { valueAt } from "../../../../tools/feed/values";
import { defaultFleet, makeFleet } from "../../../../tools/feed/fleet";
import type { LedgerContents } from "../../../../tools/feed/ledger";
import { PrometheusApi } from "../../../../tools/prometheus-api";
import { answeredBy } from "../../../e2e/pairs/gaps";
import { difference, put, questionsOf } from "../../../e2e/pairs/questions";
import { realTools } from "../../components/rules/real-tools";
import { RealShards, type Row } from "../../services/adapter/real-shards";

/**
 * The questions of suite `query`'s load, asked of a real root over two shards: what the ledger expects is what comes, also
 * where each replica of a shard lacks one write that the other has. Takes under a minute; not part of `make check`.
 */

const { prometheus, promtool, thanos } = realTools;

/** The feed ends two hours ago, on a whole hour. */
const end = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 2 * 3_600_000;
const fleet = makeFleet({ ...defaultFleet, gateways: 6, meanSeries: 80, unassignedSeries: 20 }, "r1");

/** 40 rounds, 3 s apart, of which each pusher's place differs. */
const pushes = Array.from({ length: 40 }, (_, round) =>
  fleet.gateways.map((gateway) => ({ gateway, timestamp: end - 3_000 * round - 137 * gateway.index })),
).flat();

const contents: LedgerContents = {
  header: { kind: "header", version: 1, run: "r1", startedAt: end, intervalSeconds: 3, fleet: fleet.options },
  records: pushes.map(({ gateway, timestamp }) => ({ kind: "ack", g: gateway.index, t: timestamp, at: timestamp })),
  tornBytes: 0,
  wholeBytes: 0,
};

/** What one replica of a shard holds, without the pushes of a gateway between two times (ms before the end). */
function rowsOf(shard: number, lost?: readonly [from: number, to: number]): readonly Row[] {
  const labels = `cluster="main",shard="${String(shard)}"`;
  return pushes
    .filter(({ gateway }) => gateway.index % 2 === shard)
    .sort((left, right) => left.timestamp - right.timestamp)
    .flatMap(({ gateway, timestamp }, number) => {
      const before = end - timestamp;
      if (lost !== undefined && gateway.index === shard && before > lost[0] && before < lost[1]) return [];
      const time = timestamp / 1_000;
      const batch = { series: `pipeline_push_batch{${labels},exporter="e0"}`, value: number, time };
      const series = fleet.seriesAt(gateway, timestamp).map((each) => {
        return { series: each.key.replace("{", `{${labels},`), value: valueAt(each, timestamp), time };
      });
      return [batch, ...series];
    });
}

const all = prometheus !== undefined && promtool !== undefined && thanos !== undefined;

describe.skipIf(!all)("the load's questions, all real", () => {
  const shards = new RealShards({ prometheus: prometheus ?? "", promtool: promtool ?? "", thanos: thanos ?? "" });
  const questions = questionsOf(contents);
  let alone: PrometheusApi;
  let root: PrometheusApi;
  let ops = "";

  beforeAll(async () => {
    const labels = (shard: string, replica: string) => ({ cluster: "main", shard, prometheus_replica: replica });
    const [a, b, one] = await Promise.all([
      shards.prometheus("prometheus-0-a", rowsOf(0, [80_000, 83_000]), labels("0", "a")),
      shards.prometheus("prometheus-0-b", rowsOf(0, [50_000, 53_000]), labels("0", "b")),
      shards.prometheus("prometheus-1-a", rowsOf(1), labels("1", "a")),
    ]);
    alone = new PrometheusApi(a);
    const sidecars = await Promise.all([
      shards.sidecar("sidecar-0-a", a),
      shards.sidecar("sidecar-0-b", b),
      shards.sidecar("sidecar-1-a", one),
    ]);
    const leaves = await Promise.all([
      shards.querier("leaf-0", sidecars.slice(0, 2), {}),
      shards.querier("leaf-1", sidecars.slice(2), {}),
    ]);
    const config = (shard: number, replicas: AdapterConfig["replicas"]): AdapterConfig => ({
      cluster: "main",
      shard: String(shard),
      replicaLabel: "prometheus_replica",
      replicas,
      leaf: `http://${leaves[shard]?.grpc ?? ""}`,
      hasBucket: false,
      retentionSeconds: 15 * 86_400,
      lookbackSeconds: 300,
      timeoutSeconds: 120,
      maxSamples: 1_000_000,
      settleSeconds: 9,
      maxAgeSeconds: 0,
      maxFutureSeconds: 0,
    });
    const adapters = await Promise.all([
      shards.adapter(
        "adapter-0",
        config(0, [
          { name: "a", url: a },
          { name: "b", url: b },
        ]),
      ),
      shards.adapter("adapter-1", config(1, [{ name: "a", url: one }])),
    ]);
    ops = adapters[0].ops;
    const addresses = adapters.map(({ grpc }) => grpc);
    const distributed = { "query.mode": "distributed", "query.partition-label": "shard" } as const;
    root = new PrometheusApi((await shards.querier("root", addresses, distributed, true)).http);
    await shards.until("the root sees both shards", 20, async () => {
      return (await root.number("count(count by (shard) (cpu_percent))", end)) === 2;
    });
  }, 60_000);

  afterAll(() => shards.stop());

  test("every answer is what the ledger says", async () => {
    for (const question of questions) {
      expect(difference(question, await put(root, question, "1")), question.text("1")).toBeUndefined();
    }
    const page = await (await fetch(`${ops}/metrics`)).text();
    expect(answeredBy([page]).leaf).toBeGreaterThan(20);
  });

  test("a replica that lacks one write is found out", async () => {
    // Asked by itself it knows nothing of the other shard: only questions about its own gateways count.
    const own = questions.filter((question) => question.text("").includes('gatewayID="gw-0001"'));
    const answers = await Promise.all(own.map(async (each) => difference(each, await put(alone, each, "1"))));
    expect(answers.filter((found) => found !== undefined).length).toBeGreaterThan(0);
    expect(own.length).toBe(4);
  });
});
