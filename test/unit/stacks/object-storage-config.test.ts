import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toolPath } from "../../../local/toolchain/build";
import { workloadTools } from "../../../local/toolchain/table";
import { STORAGE_PHASES } from "../../../model/storage-phase";
import { ConfigError, parseConfig } from "../../../stacks/config";
import { storageConfig } from "../../../stacks/object-storage-plan";
import { isThorough } from "../../thorough";
import { allContainers, KEYS, S3, SHARDED, SWIFT } from "./object-storage-kit";
import { run } from "./recorder";

const both = (path: string): string => `scaled-prometheus:${path}`;

/** What a config is refused for. */
function violations(raw: object): unknown {
  try {
    return parseConfig({ ...raw });
  } catch (error) {
    return error instanceof ConfigError ? error.violations : error;
  }
}

describe("bad config", () => {
  test.each([
    [
      "the single size",
      { objectStorage: S3 },
      "objectStorage.type",
      `uploads and Store Gateways are parts of Thanos, and ${both("createThanos")} is false`,
      "set createThanos to true (serversCount may stay 1), or take objectStorage out",
    ],
    [
      "a short local retention",
      { ...SHARDED, objectStorage: S3, retention: { local: "5h" } },
      "retention.local",
      `at least 6h, three blocks of 2h, while ${both("objectStorage")} is on: local disks forget whether or not a block is uploaded`,
      "set retention.local to 6h or more",
    ],
    [
      "5-minute blocks that go before they are downsampled",
      { ...SHARDED, objectStorage: S3, retention: { "5m": "10d" } },
      "retention.5m",
      `0s (for ever) or more than 10d, the age at which blocks are downsampled for ${both("retention.1h")}: they would be deleted before`,
      "set retention.5m to 14d or more, or to 0s",
    ],
    [
      "5-minute blocks that outlive what queries read",
      { ...SHARDED, objectStorage: S3, retention: { raw: "180d", "5m": "730d" } },
      "retention.5m",
      `not longer than ${both("retention.raw")}, which is 180d (0s is for ever): queries read raw samples only, and what is older would be in no answer`,
      "make retention.raw longer (0s: for ever), or retention.5m shorter, or take it out",
    ],
    [
      "1-hour blocks that outlive what queries read",
      { ...SHARDED, objectStorage: S3, retention: { raw: "180d", "5m": "180d", "1h": "0s" } },
      "retention.1h",
      `not longer than ${both("retention.raw")}, which is 180d (0s is for ever): queries read raw samples only, and what is older would be in no answer`,
      "make retention.raw longer (0s: for ever), or retention.1h shorter, or take it out",
    ],
    [
      "downsampling of raw samples that are kept for too short",
      { ...SHARDED, objectStorage: S3, retention: { raw: "3d", "1h": "3d" } },
      "retention.1h",
      `only with ${both("retention.raw")} of 0s (for ever) or more than 10d, and that is 3d: downsampled blocks can't be deleted so early, and no query reads what outlives raw samples`,
      "set retention.raw to 14d or more, or to 0s, or take retention.1h out",
    ],
    [
      "bucket retention without a bucket",
      { ...SHARDED, retention: { "1h": "1d" } },
      "retention.1h",
      `applies only with ${both("objectStorage")}, which is missing`,
      "take retention.1h out, or set objectStorage",
    ],
    [
      "a shard without a Prometheus and without a bucket",
      { ...SHARDED, retiredShards: [{ shard: 2, local: false }] },
      "retiredShards[0].local",
      `the history of a shard without a Prometheus is in the bucket, and ${both("objectStorage")} is missing`,
      "write 2 alone, or set objectStorage",
    ],
    [
      "a shard without a Prometheus before its backlog is uploaded",
      { ...SHARDED, objectStorage: { ...S3, phase: "backlog" }, retiredShards: [{ shard: 2, local: false }] },
      "retiredShards[0].local",
      `a Prometheus goes once its blocks are in the bucket, and ${both("objectStorage.phase")} is backlog`,
      "write 2 alone until objectStorage.phase is steady",
    ],
    [
      "KMS without a key",
      { ...SHARDED, objectStorage: { ...S3, sse: { type: "SSE-KMS" } } },
      "objectStorage.sse.kmsKeyId",
      `goes with ${both("objectStorage.sse.type")} SSE-KMS and no other, and that is SSE-KMS`,
      "set objectStorage.sse.kmsKeyId",
    ],
    [
      "nobody for Swift",
      { ...SHARDED, objectStorage: { ...SWIFT, user: undefined } },
      "objectStorage.user",
      `exactly one of ${both("objectStorage.user")} and ${both("objectStorage.applicationCredential")}`,
      "set one of them",
    ],
    [
      "a Thanos that is too old",
      { ...SHARDED, objectStorage: S3, images: { thanos: "quay.io/thanos/thanos:v0.41.0" } },
      "images.thanos",
      `Thanos 0.42.0 or later with ${both("objectStorage")}: older sidecars refuse a Prometheus that compacts`,
      "choose an image from v0.42.0 on, or take the key out",
    ],
    [
      "an endpoint with a scheme",
      { ...SHARDED, objectStorage: { ...S3, endpoint: "https://s3.example.org" } },
      "objectStorage.endpoint",
      "a host with or without a port, and no scheme, such as s3.eu-central-1.amazonaws.com",
      "correct the value, or take the key out",
    ],
    [
      "another kind of storage",
      { ...SHARDED, objectStorage: { type: "gcs", bucket: "metrics" } },
      "objectStorage.type",
      'an object whose type is "s3" or "swift"',
      "correct the value",
    ],
    [
      "no region",
      { ...SHARDED, objectStorage: { type: "s3", bucket: "metrics" } },
      "objectStorage.region",
      "a region such as eu-central-1, not empty",
      "set it",
    ],
  ])("%s", (_what, raw, path, rule, fix) => {
    expect(violations(raw)).toStrictEqual([expect.objectContaining({ path, rule, fix })]);
  });

  test("all that is wrong with the bucket's retention is told at once, with the values as they were written", () => {
    const retention = { raw: "3d", "5m": "5d", "1h": "0s" };
    const atLeast = (level: string) => `set retention.raw to 14d or more, or to 0s, or take retention.${level} out`;
    const longer = (level: string) =>
      `make retention.raw longer (0s: for ever), or retention.${level} shorter, or take it out`;
    expect(violations({ ...SHARDED, objectStorage: S3, retention })).toStrictEqual([
      expect.objectContaining({ path: "retention.5m", value: "5d", fix: atLeast("5m") }),
      expect.objectContaining({ path: "retention.5m", value: "5d", fix: longer("5m") }),
      expect.objectContaining({ path: "retention.1h", value: "0s", fix: atLeast("1h") }),
      expect.objectContaining({ path: "retention.1h", value: "0s", fix: longer("1h") }),
      expect.objectContaining({ path: "retention.5m", value: "5d", fix: "set retention.5m to 14d or more, or to 0s" }),
    ]);
  });

  test.each([
    { credentials: { accessKey: "AKIDEXAMPLE", secretkey: "hush-hush" } },
    { credentials: "hush-hush" },
    { secretKey: "hush-hush" },
    { credentials: { accessKey: "AKIDEXAMPLE", secretKey: ["hush-hush"] } },
  ])("no error shows a secret: %j", (more) => {
    expect(() => parseConfig({ ...SHARDED, objectStorage: { ...S3, ...more } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hush-hush") as unknown }),
    );
    expect(() => parseConfig({ ...SHARDED, objectStorage: "hush-hush" })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("hush-hush") as unknown }),
    );
  });

  test("what is parsed is accepted again, and stays as it is", () => {
    for (const objectStorage of [S3, { ...S3, ...KEYS }, SWIFT]) {
      const config = parseConfig({ ...SHARDED, objectStorage, retention: { raw: "30d" } });
      expect(parseConfig({ ...config })).toStrictEqual(config);
    }
  });
});

describe("Thanos' object storage configuration", () => {
  const configOf = (objectStorage: object): object => {
    const { objectStorage: parsed } = parseConfig({ ...SHARDED, objectStorage });
    if (parsed === undefined) throw new Error("no object storage");
    return storageConfig(parsed);
  };

  test("S3 with workload identity holds no key at all", () => {
    expect(configOf(S3)).toStrictEqual({
      type: "S3",
      config: {
        bucket: "metrics",
        endpoint: "s3.eu-central-1.amazonaws.com",
        region: "eu-central-1",
        insecure: false,
      },
    });
  });

  test("S3 with keys, a prefix and KMS", () => {
    const sse = { type: "SSE-KMS", kmsKeyId: "alias/metrics" };
    expect(configOf({ ...S3, ...KEYS, sse, prefix: "a/b", endpoint: "s3:7070", insecure: true })).toStrictEqual({
      type: "S3",
      config: {
        bucket: "metrics",
        endpoint: "s3:7070",
        region: "eu-central-1",
        insecure: true,
        access_key: "AKIDEXAMPLE",
        secret_key: "not-for-anybody",
        sse_config: { type: "SSE-KMS", kms_key_id: "alias/metrics" },
      },
      prefix: "a/b",
    });
  });

  test("Swift with a user", () => {
    expect(configOf(SWIFT)).toStrictEqual({
      type: "SWIFT",
      config: {
        auth_url: "http://127.0.0.1:1/v3",
        container_name: "metrics",
        large_object_segments_container_name: "metrics_segments",
        project_name: "monitoring",
        project_domain_name: "Default",
        username: "prometheus",
        user_domain_name: "Default",
        password: "not-for-anybody",
      },
    });
  });

  test("Swift with an application credential", () => {
    expect(
      configOf({ ...SWIFT, user: undefined, project: undefined, applicationCredential: { id: "i", secret: "s" } }),
    ).toMatchObject({
      config: { application_credential_id: "i", application_credential_secret: "s" },
    });
  });
});

const thanos = toolPath(workloadTools.thanos);
const prometheus = toolPath(workloadTools.prometheus);

describe.skipIf(!existsSync(thanos) || !existsSync(prometheus))("the real programs take", () => {
  const programs: Readonly<Record<string, string>> = {
    prometheus,
    sidecar: thanos,
    store: thanos,
    compactor: thanos,
    querier: thanos,
    ruler: thanos,
  };
  const tried = new Map<string, string>();

  /** What a program says of flags that it refuses, else the empty string. */
  function refusal(program: string, args: readonly string[]): string {
    // Where not all is tried, one of those that differ in numbers only: shards, replicas, phases' retention.
    const key = [program, ...args].join(" ");
    const kind = isThorough ? key : key.replace(/\d+/g, "0").replace(/(shard-0)-[ab]/g, "$1");
    const known = tried.get(kind);
    if (known !== undefined) return known;
    // --version ends the program once all flags are read; an unknown one is an error before.
    const { status, stderr } = spawnSync(program, [...args, "--version"], { encoding: "utf8" });
    const found = status === 0 ? "" : `${stderr} (${String(status)})`;
    tried.set(kind, found);
    return found;
  }

  test.each(STORAGE_PHASES)("every flag of phase %s", async (phase) => {
    const recorded = await run({ ...SHARDED, objectStorage: { ...S3, phase } });
    const refused = allContainers(recorded).flatMap(({ name, args }) => {
      const program = programs[name];
      const found = program === undefined ? "" : refusal(program, args);
      return found === "" ? [] : [`${name}: ${found}`];
    });
    expect(refused).toStrictEqual([]);
    expect(tried.size).toBeGreaterThan(0);
  });

  test.each([
    ["S3", { ...S3, ...KEYS, endpoint: "127.0.0.1:1", insecure: true, prefix: "a/b", sse: { type: "SSE-S3" } }],
    ["Swift", SWIFT],
  ])("the configuration of %s: they fail to connect, not to read it", (_type, objectStorage) => {
    const { objectStorage: parsed } = parseConfig({ ...SHARDED, objectStorage });
    if (parsed === undefined) throw new Error("no object storage");
    const folder = mkdtempSync(join(tmpdir(), "object-storage-"));
    try {
      const file = join(folder, "object-storage.yaml");
      writeFileSync(file, JSON.stringify(storageConfig(parsed)));
      const list = ["tools", "bucket", "ls", `--objstore.config-file=${file}`, "--timeout=1s"];
      const { stderr } = spawnSync(thanos, list, { encoding: "utf8" });
      expect(stderr).toMatch(/connection refused|deadline exceeded/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
