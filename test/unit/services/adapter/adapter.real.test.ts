import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { realTools } from "../../components/rules/real-tools";
import { askApi, pointsOf, type Times } from "./answers";
import { end, missing, recorded, rowsOf, start, without } from "./real-rows";
import { RealShards } from "./real-shards";

/**
 * Two shards, each with its real Prometheus, sidecar, leaf and adapter behind a real root in distributed mode, against one
 * Prometheus that holds everything. Shard 0 is a pair whose replicas each miss a stretch that the other has. What the Rulers
 * recorded is a third one, which only its leaf answers for. Takes under a minute; not part of `make check`.
 */

const { prometheus, promtool, thanos } = realTools;

const whole: Times = { start: start + 1800, end, step: 60 };
const early: Times = { start: start + 1800, end: start + 5400, step: 30 };
const moment: Times = { end: end - 90 };

/** Queries, and when they are asked. Ranges over both gaps go through the leaf of shard 0. */
const queries: readonly (readonly [string, Times])[] = [
  ['count({__name__=~".+",__name__!="pipeline_push_batch"})', whole],
  ['count({__name__=~".+"})', moment],
  ["sum(enb_up)", whole],
  ["sum by (network) (enb_up)", early],
  ["avg(cpu)", whole],
  ["avg by (network) (cpu)", moment],
  ["max by (shard) (cpu)", early],
  ["min without (gatewayID, network) (cpu)", moment],
  ["topk(3, cpu)", moment],
  ["bottomk(2, cpu)", early],
  ["sum(rate(ue_total[5m]))", whole],
  ["sum by (network) (increase(ue_total[1h]))", moment],
  ["max_over_time(cpu[30m])", early],
  ["quantile by (shard) (0.9, cpu)", moment],
  ["quantile(0.5, cpu)", moment],
  ["stddev(cpu)", early],
  ['count_values by (shard) ("v", enb_up)', moment],
  ["histogram_quantile(0.9, sum by (le) (rate(delay_bucket[10m])))", early],
  ["histogram_quantile(0.5, sum by (le, network) (rate(delay_bucket[10m])))", moment],
  ["cpu / on (cluster, shard, gatewayID) enb_up", moment],
  ["sum(cpu) / sum(enb_up)", whole],
  ["cpu > 5 and enb_up == 1", early],
  ["sum(cpu offset 1h)", early],
  [`sum(cpu @ ${String(start + 7200)})`, whole],
  ["sum(cpu @ end())", early],
  ["max_over_time(sum(enb_up)[1h:5m])", moment],
  ["sum(max_over_time(cpu[30m:2m] offset 10m))", early],
  ['sum(cpu{shard="1"})', whole],
  ['cpu{cluster="main",shard="0",network="n1"}', early],
  ['sum(cpu{cluster="other"})', moment],
  ["absent(nothing_of_the_kind)", moment],
  ['sum(label_replace(cpu, "net", "$1", "network", "n(.*)"))', moment],
  ["group by (shard) (cpu)", whole],
  ["vector(1)", moment],
  ["scalar(sum(cpu)) + 1", early],
  ["sort_desc(sum by (gatewayID) (cpu))", moment],
  ["sum(enb_up)", { start: start + 1800, end, step: 420 }],
  ["sum(rate(delay_bucket[1m]))", early],
  ["network:cpu:sum", early],
  ["sum by (gatewayID) (resets(ue_total[20m]))", early],
  ["resets(ue_total[20m]) > 1", moment],
];

const kept = { cluster: "main", replicaLabel: "prometheus_replica", hasBucket: false, retentionSeconds: 15 * 86_400 };
const limits = { lookbackSeconds: 300, timeoutSeconds: 120, settleSeconds: 120, maxAgeSeconds: 0, maxFutureSeconds: 0 };

describe.skipIf(prometheus === undefined || promtool === undefined || thanos === undefined)("adapter, all real", () => {
  const shards = new RealShards({ prometheus: prometheus ?? "", promtool: promtool ?? "", thanos: thanos ?? "" });
  let oracle: string;
  let root: string;
  let ops: readonly string[];

  beforeAll(async () => {
    const rows = [rowsOf(0), rowsOf(1)] as const;
    const labels = (shard: string, replica: string) => ({ cluster: "main", shard, prometheus_replica: replica });
    const [all, a, b, one, ruler] = await Promise.all([
      shards.prometheus("oracle", [...rows.flat(), ...recorded()], {}),
      shards.prometheus("prometheus-0-a", without(rows[0], missing.a), labels("0", "a")),
      shards.prometheus("prometheus-0-b", without(rows[0], missing.b), labels("0", "b")),
      shards.prometheus("prometheus-1-a", rows[1], labels("1", "a")),
      shards.prometheus("ruler", recorded(), labels("ruler", "ruler-0")),
    ]);
    oracle = all;
    const sidecars = await Promise.all([
      shards.sidecar("sidecar-0-a", a),
      shards.sidecar("sidecar-0-b", b),
      shards.sidecar("sidecar-1-a", one),
      shards.sidecar("sidecar-ruler", ruler),
    ]);
    const leaves = await Promise.all([
      shards.querier("leaf-0", sidecars.slice(0, 2), {}),
      shards.querier("leaf-1", sidecars.slice(2, 3), {}),
      shards.querier("leaf-ruler", sidecars.slice(3), {}),
    ]);
    const config = (shard: number, replicas: AdapterConfig["replicas"]): AdapterConfig => {
      const leaf = `http://${leaves[shard]?.grpc ?? ""}`;
      // 120 series at most: 80 steps in a part.
      return { ...kept, ...limits, shard: String(shard), replicas, leaf, maxSamples: 20_000 };
    };
    const adapters = await Promise.all([
      shards.adapter(
        "adapter-0",
        config(0, [
          { name: "a", url: a },
          { name: "b", url: b },
        ]),
      ),
      shards.adapter("adapter-1", config(1, [{ name: "a", url: one }])),
      shards.adapter("adapter-ruler", { ...config(2, [{ name: "ruler-0" }]), shard: "ruler" }),
    ]);
    ops = adapters.map((adapter) => adapter.ops);
    const querier = await shards.querier(
      "root",
      adapters.map((adapter) => adapter.grpc),
      { "query.mode": "distributed", "query.partition-label": "shard" },
      true,
    );
    root = querier.http;
    await shards.until("the root sees all series", 20, async () => {
      const [ours, theirs] = await Promise.all([
        askApi(root, "count(cpu)", moment),
        askApi(oracle, "count(cpu)", moment),
      ]);
      return JSON.stringify(ours.data?.result) === JSON.stringify(theirs.data?.result);
    });
  }, 60_000);

  afterAll(() => shards.stop());

  async function metric(shard: number, pattern: RegExp): Promise<number> {
    const text = await (await fetch(`${ops[shard] ?? ""}/metrics`)).text();
    return text
      .split("\n")
      .filter((line) => pattern.test(line))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  test.each(queries)("%s answers as one Prometheus does", async (query, times) => {
    const [ours, theirs] = await Promise.all([askApi(root, query, times), askApi(oracle, query, times)]);
    expect(ours.error).toBeUndefined();
    expect(ours.warnings ?? []).toStrictEqual(theirs.warnings ?? []);
    const [expected, found] = [pointsOf(theirs), pointsOf(ours)];
    const differing = [...expected].filter(([key, value]) => found.get(key) !== value).slice(0, 5);
    expect({ size: found.size, differing }).toStrictEqual({ size: expected.size, differing: [] });
  });

  test("most queries were answered by Prometheus, those over both gaps by the leaf", async () => {
    expect(await metric(1, /^adapter_queries_total\{via="prometheus"/)).toBeGreaterThan(20);
    expect(await metric(1, /^adapter_leaf_queries_total/)).toBe(0);
    expect(await metric(0, /^adapter_queries_total\{via="prometheus"/)).toBeGreaterThan(10);
    expect(await metric(0, /^adapter_leaf_queries_total\{reason="gaps"/)).toBeGreaterThan(5);
    // Statistics arrive: parts are sized by them.
    expect(await metric(1, /^adapter_samples_total/)).toBeGreaterThan(1_000);
  });

  test("over a thousand queries through the same connections, by Prometheus and by the leaf, none fails", async () => {
    const expected = JSON.stringify((await askApi(root, "sum(enb_up)", moment)).data?.result);
    const spread: Times = { end: start + 5 * 3600 };
    for (let round = 0; round < 70; round++) {
      const [moments, hours] = await Promise.all([
        Promise.all(Array.from({ length: 15 }, () => askApi(root, "sum(enb_up)", moment))),
        askApi(root, "count(max_over_time(cpu[4h]))", spread),
      ]);
      expect(new Set(moments.map(({ data }) => JSON.stringify(data?.result)))).toStrictEqual(new Set([expected]));
      expect(hours.status).toBe("success");
    }
  });

  /** Data of an answer, each part as text with its keys in order. */
  async function dataOf(url: string): Promise<readonly string[]> {
    const { data } = (await (await fetch(url)).json()) as { readonly data: readonly unknown[] };
    return data.map((each) => JSON.stringify(each, Object.keys(each as object).sort()));
  }

  test("labels, targets, rules and metadata come through the leaf, of both shards", async () => {
    const span = `start=${String(start)}&end=${String(end)}`;
    for (const path of [`label/shard/values?${span}`, `labels?${span}`]) {
      const [ours, theirs] = await Promise.all([dataOf(`${root}/api/v1/${path}`), dataOf(`${oracle}/api/v1/${path}`)]);
      expect([...ours].sort()).toStrictEqual([...theirs].sort());
    }
    for (const path of ["targets", "rules", "metadata"]) {
      expect((await fetch(`${root}/api/v1/${path}`)).status).toBe(200);
    }
  });

  const seriesBy = (shard: number, via: string) =>
    metric(shard, new RegExp(`^adapter_proxied_total\\{method="/thanos.Store/Series",code="0",via="${via}"\\}`));
  const whenever = { from: start, to: end };
  const covered = { from: start + 1800, to: start + 5400 };

  test.each([
    ["cpu", covered, "prometheus"],
    ["cpu", whenever, "leaf"],
    ['{__name__=~".+"}', covered, "prometheus"],
    ['{__name__=~".+"}', whenever, "leaf"],
    ['{gatewayID=~"g.-(1|5)",network!="n0"}', covered, "prometheus"],
    ['{cluster="main",shard!~"1|ruler",__name__!~"pipeline.*"}', covered, "prometheus"],
    ['{shard="1",le=~"0.1|1"}', whenever, "nobody"],
    ['network:cpu:sum{shard="ruler"}', whenever, "nobody"],
    ["nothing_of_the_kind", covered, "prometheus"],
    ['cpu{cluster="other"}', covered, "nobody"],
  ] as const)("series of %s, %o: shard 0 answers by %s as one Prometheus does", async (match, { from, to }, via) => {
    const before = { prometheus: await seriesBy(0, "prometheus"), leaf: await seriesBy(0, "leaf") };
    const query = new URLSearchParams({ "match[]": match, start: String(from), end: String(to) });
    const path = `api/v1/series?${query.toString()}`;
    const [ours, theirs] = await Promise.all([dataOf(`${root}/${path}`), dataOf(`${oracle}/${path}`)]);
    expect(new Set(ours).size).toBe(ours.length);
    expect([...ours].sort()).toStrictEqual([...theirs].sort());
    if (via !== "nobody") before[via] += 1;
    expect({ prometheus: await seriesBy(0, "prometheus"), leaf: await seriesBy(0, "leaf") }).toStrictEqual(before);
  });

  test("series up to a limit are as many as asked for, with the warning that there are more", async () => {
    const query = new URLSearchParams({ "match[]": "cpu", start: String(covered.from), end: String(covered.to) });
    const get = async (limit: number) => {
      const response = await fetch(`${root}/api/v1/series?${query.toString()}&limit=${String(limit)}`);
      return (await response.json()) as { readonly data: readonly unknown[]; readonly warnings?: readonly string[] };
    };
    expect(await get(5)).toMatchObject({ data: { length: 5 }, warnings: ["results truncated due to limit"] });
    const all = await get(16);
    expect(all.data).toHaveLength(16);
    expect(all.warnings).toBeUndefined();
  });

  test("a replica that hangs costs seconds, not the answer", async () => {
    const covered = { start: start + 1800, end: start + 5400, step: 60 };
    const theirs = await askApi(oracle, "sum(cpu)", covered);
    // Only a has this moment: from now on it is the one that is kept to.
    expect((await askApi(root, "sum(cpu)", { end: start + missing.b[0] + 500 })).status).toBe("success");
    shards.signal("prometheus-0-a", "SIGSTOP");
    const stoppedAt = Date.now();
    const first = await askApi(root, "sum(cpu)", covered);
    // Two probes of 5 s, and what is between them.
    expect(Date.now() - stoppedAt).toBeGreaterThan(5_000);
    expect(Date.now() - stoppedAt).toBeLessThan(20_000);
    expect([...pointsOf(first)]).toStrictEqual([...pointsOf(theirs)]);
    const startedAt = Date.now();
    expect([...pointsOf(await askApi(root, "sum(cpu)", covered))]).toStrictEqual([...pointsOf(theirs)]);
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    shards.signal("prometheus-0-a", "SIGCONT");
    await shards.until("a is up again", 20, async () => (await metric(0, /^adapter_replica_up\{replica="a"/)) === 1);
  }, 60_000);

  test("with replica a gone, the other one and nobody else answers; then every answer is an error with the shard's name", async () => {
    shards.signal("prometheus-0-a", "SIGKILL");
    const covered = { start: start + 1800, end: start + 3 * 3600, step: 60 };
    const theirs = await askApi(oracle, "sum(cpu)", covered);
    for (let round = 0; round < 3; round++) {
      const ours = await askApi(root, "sum(cpu)", covered);
      expect(ours.error).toBeUndefined();
      expect([...pointsOf(ours)]).toStrictEqual([...pointsOf(theirs)]);
    }
    // Replica b misses a stretch of this one.
    const incomplete = await askApi(root, "sum(cpu)", whole);
    expect(incomplete).toMatchObject({ status: "error", error: expect.stringContaining("shard 0: ") as string });
    shards.signal("prometheus-0-b", "SIGKILL");
    for (const [query, times] of [
      ["sum(cpu)", moment],
      ["count(enb_up)", early],
      ["cpu", moment],
    ] as const) {
      const ours = await askApi(root, query, times);
      expect(ours).toMatchObject({ status: "error", error: expect.stringContaining("shard 0: ") as string });
    }
    // What needs the other shard only is answered.
    expect((await askApi(root, 'sum(cpu{shard="1"})', moment)).status).toBe("success");
  }, 60_000);

  test("ends well when told to", async () => {
    shards.signal("adapter-1", "SIGTERM");
    expect(await shards.ended("adapter-1")).toBe(0);
  });
});
