import { INTERVALS_TO_STORE } from "../../../model/exporter-config";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../stacks/config";
import { buildTopology, type Topology } from "../../../stacks/topology";
import { cases } from "../../thorough";
import { S3 } from "./object-storage-kit";
import { SERVICES } from "./services";

function topologyOf(raw: Record<string, unknown>): Topology {
  return buildTopology(parseConfig(raw), SERVICES);
}

function prometheusOf(topology: Topology, shard = 0) {
  const prometheus = topology.shards[shard]?.replicas[0]?.prometheus;
  if (prometheus === undefined) throw new Error(`no shard ${String(shard)}`);
  return prometheus;
}

describe("single size", () => {
  const topology = topologyOf({});

  test("has one shard and nothing of Thanos", () => {
    expect(topology.shards.map(({ index }) => index)).toStrictEqual([0]);
    expect(topology.querier).toBeUndefined();
    expect(prometheusOf(topology).sidecarFlags).toBeUndefined();
    expect(topology.components).not.toContain("querier");
    expect(topology.answeredBy).toStrictEqual({ component: "prometheus", shard: 0, replica: "a" });
  });

  test("sends alerts itself, without the labels that tell shards apart", () => {
    expect(prometheusOf(topology).config).toMatchObject({
      alerting: {
        alert_relabel_configs: [{ action: "labeldrop", regex: "cluster|shard|prometheus_replica" }],
        alertmanagers: [{ static_configs: [{ targets: ["alertmanager.scaled-prometheus.svc:9093"] }] }],
      },
    });
    expect(prometheusOf(topologyOf({ createThanos: true })).config).not.toHaveProperty("alerting");
  });
});

describe("Prometheus", () => {
  test("listens on loopback, and has no lifecycle, admin or remote-write endpoint", () => {
    const { flags } = prometheusOf(topologyOf({ createThanos: true }));
    expect(flags["web.listen-address"]).toBe("127.0.0.1:9095");
    for (const name of Object.keys(flags)) expect(name).not.toMatch(/lifecycle|admin|retention/);
  });

  test("admits as many remote reads as both leaves of its shard can send, whatever the number of roots", () => {
    const { flags } = prometheusOf(topologyOf({ createThanos: true, query: { replicas: 3, maxConcurrent: 10 } }));
    expect(flags["storage.remote.read-concurrent-limit"]).toBe(2 * 10 * 4);
  });

  test("forces cluster and shard in the last rules of every job", () => {
    const config = prometheusOf(topologyOf({ createThanos: true, serversCount: 3, clusterLabel: "eu" }), 2).config as {
      scrape_configs: { metric_relabel_configs: object[]; relabel_configs: object[]; job_name: string }[];
    };
    const forced = [
      { action: "replace", target_label: "cluster", replacement: "eu" },
      { action: "replace", target_label: "shard", replacement: "2" },
    ];
    expect(config.scrape_configs.map(({ job_name }) => job_name)).toStrictEqual(["hub", "hub-internal", "prometheus"]);
    for (const job of config.scrape_configs) {
      expect(job.metric_relabel_configs.slice(-2)).toStrictEqual(forced);
      expect(job.relabel_configs.slice(-2)).toStrictEqual(forced);
    }
  });

  test("sets no limit that could lose what a hub has already let go", () => {
    const text = JSON.stringify(prometheusOf(topologyOf({})).config);
    expect(text).not.toMatch(/sample_limit|label_limit|body_size_limit|target_limit/);
  });

  test.each([
    ["5s", "5s"],
    ["15s", "9s"],
    ["1m", "9s"],
  ])("a scrape every %s may take %s: less than the hub's own 10 s", (scrapeInterval, timeout) => {
    const { config } = prometheusOf(topologyOf({ push: { scrapeInterval } }));
    expect(config).toMatchObject({ global: { scrape_timeout: timeout } });
  });

  test("a retired shard keeps its configuration, so that its hub is scraped to the end", () => {
    const inRing = topologyOf({ createThanos: true, serversCount: 3 }).shards[2]?.replicas[0];
    const retired = topologyOf({ createThanos: true, serversCount: 2, retiredShards: [2] }).shards[2]?.replicas[0];
    expect(retired?.hub).toBeUndefined();
    expect(retired?.prometheus).toStrictEqual({ ...inRing?.prometheus, isProtected: false });
  });
});

describe("hub", () => {
  test("drains for two scrapes and the time in which exporters leave it", () => {
    const drain = (scrapeInterval: string) => topologyOf({ push: { scrapeInterval } }).shards[0]?.replicas[0]?.hub;
    expect(drain("5s")?.drainSeconds).toBe(20);
    expect(drain("15s")?.drainSeconds).toBe(40);
  });
});

describe("pairs", () => {
  const lettersOf = (topology: Topology) =>
    topology.shards.map(({ replicas }) => replicas.map(({ replica }) => replica));

  test("are what sharded sizes have by default; the single size has none", () => {
    expect(lettersOf(topologyOf({ createThanos: true, serversCount: 2 }))).toStrictEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
    expect(lettersOf(topologyOf({ createThanos: true, highAvailability: false }))).toStrictEqual([["a"]]);
    expect(lettersOf(topologyOf({}))).toStrictEqual([["a"]]);
  });

  test("are both pushed to, and both counted", () => {
    const topology = topologyOf({ createThanos: true, serversCount: 1 });
    expect(topology.exporter.config.shards[0]?.hubs).toStrictEqual(
      ["a", "b"].map((replica) => ({
        replica,
        url: `http://hub-shard-0-${replica}.scaled-prometheus.svc:9091`,
        prometheusUrl: `http://prometheus-shard-0-${replica}.scaled-prometheus.svc:9096`,
      })),
    );
    expect(topology.outputs.shards[0]?.replicas).toStrictEqual(
      ["a", "b"].map((replica) => ({
        name: `shard-0-${replica}`,
        statefulSet: `prometheus-shard-0-${replica}`,
        claim: `data-prometheus-shard-0-${replica}-0`,
        hub: `hub-shard-0-${replica}`,
      })),
    );
  });

  test("of a retired shard are told to the exporters, who end there what moved away; without a Prometheus there is nothing to end", () => {
    const sharded = { createThanos: true, serversCount: 2 };
    const { retired } = topologyOf({ ...sharded, retiredShards: [3] }).exporter.config;
    expect(retired).toStrictEqual([
      {
        index: 3,
        name: "shard-3",
        replicas: ["a", "b"].map((replica) => ({
          replica,
          prometheusUrl: `http://prometheus-shard-3-${replica}.scaled-prometheus.svc:9096`,
        })),
      },
    ]);
    const bucket = { objectStorage: S3, retention: { sharded: "30d" } };
    const gone = { ...sharded, ...bucket, retiredShards: [{ shard: 3, local: false }] };
    expect(topologyOf(gone).exporter.config.retired).toBeUndefined();
    expect(topologyOf(sharded).exporter.config.retired).toBeUndefined();
  });

  test("differ in their own name and their hub's only", () => {
    const [a, b] = topologyOf({ createThanos: true }).shards[0]?.replicas ?? [];
    const text = (value: unknown) => JSON.stringify(value);
    expect(text(b)).not.toBe(text(a));
    const renamed = text(b)
      .replaceAll("shard-0-b", "shard-0-a")
      .replaceAll('"prometheus_replica":"b"', '"prometheus_replica":"a"')
      .replaceAll('"replica":"b"', '"replica":"a"');
    expect(renamed).toBe(text(a));
  });

  test("a retired shard keeps both, without hubs, until its Prometheus servers go", () => {
    const retired = (entry: unknown) =>
      topologyOf({
        createThanos: true,
        retiredShards: [entry],
        objectStorage: S3,
        retention: { sharded: "30d" },
      }).shards[1];
    expect(retired(1)?.replicas.map(({ replica, hub }) => [replica, hub])).toStrictEqual([
      ["a", undefined],
      ["b", undefined],
    ]);
    expect(retired({ shard: 1, local: false })?.replicas).toStrictEqual([]);
  });
});

describe("exporter", () => {
  test("refuses samples five minutes before Prometheus would", () => {
    expect(topologyOf({ outOfOrderWindow: "30m" }).exporter.config.limits).toStrictEqual({
      maxBodyBytes: 32 * 2 ** 20,
      maxMessageBytes: 50 * 2 ** 20,
      maxFutureSeconds: 60,
      maxAgeSeconds: 25 * 60,
    });
  });

  test.each([
    ["1m", "60s", 35 * 60 - (180 + 4 * 60)],
    ["30s", "60s", 30 * 60],
    ["15s", "10m", 35 * 60 - (720 + 4 * 15)],
  ])(
    "refuses at a scrape interval of %s, samples up to %s ahead, what could not be sent again once lost",
    (scrapeInterval, maxFuture, age) => {
      const { config } = topologyOf({
        outOfOrderWindow: "35m",
        push: { scrapeInterval, limits: { maxFuture } },
      }).exporter;
      expect(config.limits.maxAgeSeconds).toBe(age);
      const resent = INTERVALS_TO_STORE * (config.commit.scrapeIntervalMilliseconds / 1000);
      expect(config.limits.maxAgeSeconds + resent).toBeLessThan(config.commit.maxResendAgeSeconds);
    },
  );

  test("limits tenants only where the config says so, and 0 stands for no limit", () => {
    expect(topologyOf({}).exporter.config).not.toHaveProperty("tenantLimits");
    const { tenantLimits } = topologyOf({ push: { limits: { perTenant: { maxSeries: 5 } } } }).exporter.config;
    expect(tenantLimits).toStrictEqual({ label: "networkID", maxSeries: 5, maxSamplesPerSecond: 0 });
  });

  test("says where to push over gRPC, and with TLS", () => {
    const { outputs, networkPolicies } = topologyOf({ push: { tls: { secretName: "push-tls" } } });
    expect(outputs.pushUrl).toBe("https://exporter.scaled-prometheus.svc:9091/metrics");
    expect(outputs.pushGrpc).toBe("exporter.scaled-prometheus.svc:9092");
    const open = (plan: typeof networkPolicies) =>
      plan?.edges.filter(({ to }) => to === "exporter").flatMap(({ ports }) => ports);
    expect(open(networkPolicies)).toContain(9092);
    const without = topologyOf({ push: { grpc: false } });
    expect(without.outputs.pushGrpc).toBeNull();
    expect(open(without.networkPolicies)).not.toContain(9092);
  });

  test("the ring's version changes with what moves keys, and only with that", () => {
    const ring = (raw: Record<string, unknown>) =>
      topologyOf({ createThanos: true, serversCount: 3, ...raw }).outputs.ring;
    const base = ring({});
    expect(ring({ namespace: { name: "other" }, clusterLabel: "x", retiredShards: [7] })).toBe(base);
    expect(ring({ serversCount: 4 })).not.toBe(base);
    expect(ring({ push: { homeShard: 1 } })).not.toBe(base);
    expect(ring({ push: { shardLabel: "networkID" } })).not.toBe(base);
  });
});

describe("properties", () => {
  const count = fc.integer({ min: 1, max: 63 });
  const retirements = fc.uniqueArray(fc.integer({ min: 0, max: 63 }), { maxLength: 4 });

  test("the ring is exactly the shards below serversCount; the Querier asks those and the retired ones", () => {
    fc.assert(
      fc.property(count, retirements, (serversCount, numbers) => {
        const retired = numbers.filter((shard) => shard >= serversCount);
        const topology = topologyOf({ createThanos: true, serversCount, retiredShards: retired });
        const inRing = Array.from({ length: serversCount }, (_, index) => index);
        const all = [...inRing, ...retired.sort((left, right) => left - right)];
        expect(topology.exporter.config.shards.map(({ index }) => index)).toStrictEqual(inRing);
        expect((topology.exporter.config.retired ?? []).map(({ index }) => index)).toStrictEqual(
          all.slice(serversCount),
        );
        expect(topology.shards.map(({ index }) => index)).toStrictEqual(all);
        const { endpoints } = topology.querier?.endpoints as { endpoints: { address: string; strict?: boolean }[] };
        const leaves = [...all.map((shard) => `leaf-shard-${String(shard)}`), "leaf-ruler"];
        expect(endpoints.map(({ address }) => address)).toStrictEqual(
          leaves.map((leaf) => `${leaf}.scaled-prometheus.svc:10901`),
        );
        expect(endpoints.every(({ strict }) => strict)).toBe(true);
        // Without each of them the gate lets no query through.
        expect(topology.querier?.expected.endpoints).toStrictEqual(
          endpoints.map(({ address }, at) => ({ shard: String(all[at] ?? "ruler"), address })),
        );
        expect(topology.shards.map(({ leaf }) => leaf?.adapter.shard)).toStrictEqual(all.map(String));
        for (const at of [0, 1]) {
          expect(topology.shards.filter(({ replicas }) => replicas[at]?.hub !== undefined)).toHaveLength(serversCount);
        }
      }),
      { numRuns: cases(60) },
    );
  });

  test("one shard more changes nothing of those that stay", () => {
    fc.assert(
      fc.property(count, (serversCount) => {
        const [before, after] = [serversCount, serversCount + 1].map((n) =>
          topologyOf({ createThanos: true, serversCount: n }),
        );
        expect(after?.shards.slice(0, serversCount)).toStrictEqual(before?.shards);
        expect(after?.platform).toStrictEqual(before?.platform);
        expect(after?.alertmanager).toStrictEqual(before?.alertmanager);
        expect(after?.rulerLeaf).toStrictEqual(before?.rulerLeaf);
        expect(after?.queryFrontend).toStrictEqual(before?.queryFrontend);
      }),
      { numRuns: cases(30) },
    );
  });

  test("replica b changes nothing of a, and no key moves", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 62 }),
        fc.boolean(),
        fc.constantFrom("none", "host", "zone"),
        (serversCount, withStorage, availability) => {
          const base = {
            createThanos: true,
            serversCount,
            retiredShards: [63],
            ...(withStorage ? { objectStorage: S3, retention: { sharded: "30d" } } : {}),
          };
          const alone = topologyOf({ ...base, highAvailability: false });
          const pairs = topologyOf({ ...base, availability });
          const parts = (topology: Topology) => ({
            a: topology.shards.map(({ index, replicas, store }) => ({ index, a: replicas[0], store })),
            platform: topology.platform,
            ruler: topology.ruler,
            objectStorage: topology.objectStorage,
            ring: topology.outputs.ring,
            edges: topology.networkPolicies?.edges,
          });
          expect(parts(pairs)).toStrictEqual(parts(alone));
          expect(alone.shards.every(({ replicas }) => replicas.length === 1)).toBe(true);
        },
      ),
      { numRuns: cases(30) },
    );
  });

  test("external labels are unique", () => {
    fc.assert(
      fc.property(count, (serversCount) => {
        const { shards } = topologyOf({ createThanos: true, serversCount });
        const labels = shards.flatMap(({ replicas }) =>
          replicas.map(({ prometheus }) => JSON.stringify((prometheus.config as { global: object }).global)),
        );
        expect(new Set(labels).size).toBe(2 * serversCount);
      }),
      { numRuns: cases(20) },
    );
  });
});
