import fc from "fast-check";
import { load } from "js-yaml";
import { beforeAll, describe, expect, test } from "vitest";
import { STORAGE_PHASES } from "../../../model/storage-phase";
import { parseConfig } from "../../../stacks/config";
import { cases } from "../../thorough";
import {
  allContainers,
  containerOf,
  KEYS,
  named,
  S3,
  SHARDED,
  SWIFT,
  workload,
  type Container,
} from "./object-storage-kit";
import { run, runAgain, type Run } from "./recorder";

function endpointsOf(recorded: Run, map: string): readonly string[] {
  const { data } = named(recorded, "ConfigMap", map)?.inputs as { data: Record<string, string> };
  const { endpoints } = load(data["endpoints.yaml"] ?? "") as { endpoints: { address: string; strict?: boolean }[] };
  // A sidecar may go while the shard's other one answers.
  expect(endpoints.filter(({ address }) => !address.startsWith("sidecar-")).every(({ strict }) => strict)).toBe(true);
  return endpoints.map(({ address }) => address.replace(".scaled-prometheus.svc:10901", ""));
}

function retentionOf(recorded: Run, shard: number): string {
  const name = `prometheus-shard-${String(shard)}-a`;
  const { data } = named(recorded, "ConfigMap", name)?.inputs as { data: Record<string, string> };
  const config = load(Object.values(data)[0] ?? "") as { storage: { tsdb: { retention: { time: string } } } };
  return config.storage.tsdb.retention.time;
}

describe("a stack with object storage", () => {
  let recorded: Run;
  beforeAll(async () => {
    recorded = await run({
      ...SHARDED,
      retiredShards: [3, { shard: 2, local: false }],
      clusterLabel: "eu.main",
      objectStorage: { ...S3, ...KEYS },
    });
  });

  test("has a Store Gateway per shard, retired ones included, each with the blocks of its shard only", () => {
    for (const shard of [0, 1, 2, 3]) {
      const { replicas } = workload(recorded, `store-shard-${String(shard)}`);
      expect(replicas).toBe(1);
      const { args } = containerOf(recorded, `store-shard-${String(shard)}`, "store");
      const relabel = args.find((arg) => arg.startsWith("--selector.relabel-config="))?.replace(/^[^=]*=/, "");
      expect(load(relabel ?? "")).toStrictEqual([
        { action: "keep", source_labels: ["cluster", "shard"], separator: ";", regex: `eu\\.main;${String(shard)}` },
      ]);
    }
  });

  test("its leaf has every sidecar and the Store Gateway behind it; a shard without a Prometheus has only the latter", () => {
    expect([0, 1, 2, 3].map((shard) => endpointsOf(recorded, `leaf-shard-${String(shard)}-config`))).toStrictEqual([
      ["sidecar-shard-0-a", "sidecar-shard-0-b", "store-shard-0"],
      ["sidecar-shard-1-a", "sidecar-shard-1-b", "store-shard-1"],
      ["store-shard-2"],
      ["sidecar-shard-3-a", "sidecar-shard-3-b", "store-shard-3"],
    ]);
    expect(endpointsOf(recorded, "querier-endpoints")).toStrictEqual(
      ["shard-0", "shard-1", "shard-2", "shard-3", "ruler"].map((shard) => `leaf-${shard}`),
    );
    expect(named(recorded, "StatefulSet", "prometheus-shard-2-a")).toBeUndefined();
    expect(named(recorded, "Service", "sidecar-shard-2-a")).toBeUndefined();
    expect(named(recorded, "StatefulSet", "prometheus-shard-3-a")).toBeDefined();
  });

  test("tells in its outputs what is where", () => {
    expect(recorded.outputs).toMatchObject({ bucket: "metrics", storagePhase: "steady" });
    const shards = recorded.outputs.shards.map(({ index, store, replicas }) => [index, store, replicas.length]);
    expect(shards).toStrictEqual([
      [0, "store-shard-0", 2],
      [1, "store-shard-1", 2],
      [2, "store-shard-2", 0],
      [3, "store-shard-3", 2],
    ]);
  });

  test("gives both containers the data at one path, which is where both look for the upload file", () => {
    const statefulSet = "prometheus-shard-0-a";
    const prometheus = containerOf(recorded, statefulSet, "prometheus");
    const sidecar = containerOf(recorded, statefulSet, "sidecar");
    const dataOf = ({ volumeMounts = [] }: Container) => volumeMounts.find(({ name }) => name === "data")?.mountPath;
    expect(dataOf(sidecar)).toBe("/prometheus");
    expect(dataOf(prometheus)).toBe("/prometheus");
    expect(prometheus.args).toContain("--storage.tsdb.delay-compact-file.path=/prometheus/thanos.shipper.json");
    expect(sidecar.args).toEqual(
      expect.arrayContaining(["--tsdb.path=/prometheus", "--shipper.meta-file-name=thanos.shipper.json"]),
    );
    // Hard links to another user's files are refused by the kernel.
    expect(sidecar.securityContext.runAsUser).toBe(prometheus.securityContext.runAsUser);
  });

  test("makes the upload file before Prometheus starts", () => {
    const { initContainers = [] } = workload(recorded, "prometheus-shard-0-a").template.spec;
    expect(initContainers.map(({ name, args }) => [name, ...args.slice(-3)])).toStrictEqual([
      ["shipper-meta", "shipper-meta", "--path", "/prometheus/thanos.shipper.json"],
    ]);
  });

  test("keeps the credentials in one Secret, marked as such, under a name that changes with them", async () => {
    const secretOf = (each: Run) =>
      named(each, "Secret", "object-storage")?.inputs as {
        metadata: { name: string };
        immutable: boolean;
        stringData: Record<string, unknown>;
      };
    const { metadata, immutable, stringData } = secretOf(recorded);
    // Pulumi's mark of a secret, with which the state encrypts it.
    expect(Object.values(stringData)).toContain("1b47061264138c4ac30d75fd1eb44270");
    expect(metadata.name).toMatch(/^object-storage-[0-9a-f]{10}$/);
    expect(immutable).toBe(true);
    const elsewhere = recorded.resources.filter(({ type }) => !type.endsWith(":Secret"));
    expect(JSON.stringify(elsewhere)).not.toContain(KEYS.credentials.secretKey);
    expect(JSON.stringify(recorded.outputs)).not.toContain(KEYS.credentials.secretKey);
    const changed = await run({
      ...SHARDED,
      objectStorage: { ...S3, credentials: { ...KEYS.credentials, secretKey: "x" } },
    });
    expect(secretOf(changed).metadata.name).not.toBe(metadata.name);
  });
});

describe("the one Compactor", () => {
  test("can't be had twice by any config, and never without object storage", async () => {
    const config = fc.record({
      serversCount: fc.integer({ min: 1, max: 6 }),
      retired: fc.uniqueArray(fc.integer({ min: 6, max: 12 }), { maxLength: 3 }),
      phase: fc.constantFrom(...STORAGE_PHASES),
      storage: fc.constantFrom(S3, SWIFT, undefined),
    });
    await fc.assert(
      fc.asyncProperty(config, async ({ serversCount, retired, phase, storage }) => {
        const recorded = await runAgain({
          createThanos: true,
          serversCount,
          retiredShards: retired,
          ...(storage === undefined ? {} : { objectStorage: { ...storage, phase } }),
        });
        const compacting = allContainers(recorded).filter(({ args }) => args[0] === "compact");
        expect(compacting).toHaveLength(storage === undefined ? 0 : 1);
        if (storage !== undefined) expect(workload(recorded, "compactor").replicas).toBe(1);
      }),
      { numRuns: cases(8) },
    );
  });

  test.each([
    [{ replicas: 2 }, "replicas"],
    [{ compactorReplicas: 2 }, "compactorReplicas"],
    [{ compactor: { replicas: 2 } }, "compactor"],
  ])("has no number of replicas: %j is an error", (more, key) => {
    expect(() => parseConfig({ ...SHARDED, objectStorage: { ...S3, ...more } })).toThrow(`objectStorage.${key}`);
  });

  test("merges replicas one to one and allows late samples' overlaps", async () => {
    const recorded = await run({ ...SHARDED, objectStorage: S3, retention: { raw: "30d", "5m": "20d" } });
    const { args } = containerOf(recorded, "compactor", "compactor");
    expect(args).toEqual(
      expect.arrayContaining([
        "--wait",
        "--deduplication.replica-label=prometheus_replica",
        "--delete-delay=2d",
        "--retention.resolution-raw=30d",
        "--retention.resolution-5m=20d",
        "--retention.resolution-1h=30d",
      ]),
    );
    expect(args.filter((arg) => arg.includes("downsampling"))).toStrictEqual([]);
    expect(args.filter((arg) => arg.includes("deduplication.func"))).toStrictEqual([]);
  });

  test.each([
    [{}, "0ms"],
    [{ raw: "30d" }, "30d"],
  ])("downsamples nothing unless asked to, and keeps nothing longer than raw samples: %j", async (retention, time) => {
    const { args } = containerOf(await run({ ...SHARDED, objectStorage: S3, retention }), "compactor", "compactor");
    expect(args.filter((arg) => /downsampling|resolution/.test(arg))).toStrictEqual([
      "--downsampling.disable",
      `--retention.resolution-1h=${time}`,
      `--retention.resolution-5m=${time}`,
      `--retention.resolution-raw=${time}`,
    ]);
  });
});

describe("phases", () => {
  test.each([
    ["empty-meta", false, false, true, "15d"],
    ["backlog", true, true, false, "15d"],
    ["steady", true, false, true, "15d"],
    ["shrunk", true, false, true, "12h"],
  ] as const)("%s", async (phase, uploads, uploadsCompacted, compacts, retention) => {
    const recorded = await run({ ...SHARDED, objectStorage: { ...S3, phase }, retention: { local: "12h" } });
    const { args: prometheus } = containerOf(recorded, "prometheus-shard-1-a", "prometheus");
    const { args: sidecar, volumeMounts = [] } = containerOf(recorded, "prometheus-shard-1-a", "sidecar");
    expect(prometheus.some((arg) => arg.includes("delay-compact-file"))).toBe(true);
    expect(prometheus.includes("--storage.tsdb.max-block-duration=2h")).toBe(!compacts);
    expect(prometheus.includes("--no-storage.tsdb.allow-overlapping-compaction")).toBe(!compacts);
    expect(sidecar.some((arg) => arg.startsWith("--objstore"))).toBe(uploads);
    expect(volumeMounts.some(({ name }) => name === "object-storage")).toBe(uploads);
    expect(sidecar.includes("--shipper.upload-compacted")).toBe(uploadsCompacted);
    expect(retentionOf(recorded, 1)).toBe(retention);
  });

  test("local retention is two days by default, and never longer than what shards keep without object storage", async () => {
    const shrunk = { ...SHARDED, objectStorage: { ...S3, phase: "shrunk" } };
    expect(retentionOf(await run(shrunk), 0)).toBe("2d");
    expect(retentionOf(await run({ ...shrunk, retention: { single: "8h" } }), 0)).toBe("8h");
  });
});

describe("without object storage", () => {
  test("there is nothing of it in a sharded stack", async () => {
    const recorded = await run(SHARDED);
    const text = JSON.stringify(recorded.resources);
    expect(text).not.toMatch(/objstore|delay-compact|shipper|"store-|compactor/);
    expect(recorded.outputs).toMatchObject({ bucket: null, storagePhase: null });
  });
});
