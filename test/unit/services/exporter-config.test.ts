import { describe, expect, it } from "vitest";
import {
  ExporterConfigError,
  exporterConfigText,
  parseExporterConfig,
  parseExporterConfigText,
  type ExporterConfig,
} from "../../../model/exporter-config";

const valid: ExporterConfig = {
  version: "0d6cc17f2de73c1a",
  shardLabel: "gatewayID",
  homeShard: 1,
  shards: [
    {
      index: 0,
      name: "shard-0",
      hubs: [{ replica: "a", url: "http://hub-shard-0-a:9091", prometheusUrl: "http://prometheus-shard-0-a:9096" }],
    },
    {
      index: 1,
      name: "shard-1",
      hubs: [
        { replica: "a", url: "http://hub-shard-1-a:9091", prometheusUrl: "http://prometheus-shard-1-a:9096" },
        { replica: "b", url: "http://hub-shard-1-b:9091", prometheusUrl: "http://prometheus-shard-1-b:9096" },
      ],
    },
  ],
  limits: { maxBodyBytes: 33_554_432, maxMessageBytes: 52_428_800, maxFutureSeconds: 60, maxAgeSeconds: 1500 },
  commit: { bufferBytes: 67_108_864, scrapeIntervalMilliseconds: 15_000, maxResendAgeSeconds: 1620, drainSeconds: 60 },
  pushTimeoutMilliseconds: 5000,
  lookbackSeconds: 300,
};

const retired = [
  {
    index: 3,
    name: "shard-3",
    replicas: [
      { replica: "a", prometheusUrl: "http://prometheus-shard-3-a:9096" },
      { replica: "b", prometheusUrl: "http://prometheus-shard-3-b:9096" },
    ],
  },
] as const;
const [shard3] = retired;

const bare = { replica: "b", url: "http://hub-shard-1-b:9091" };

function problems(value: unknown): readonly string[] {
  try {
    parseExporterConfig(value);
  } catch (error) {
    if (error instanceof ExporterConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("exporter configuration", () => {
  it("survives being written and read", () => {
    expect(parseExporterConfigText(exporterConfigText(valid))).toStrictEqual(valid);
    const limited = { ...valid, tenantLimits: { label: "networkID", maxSeries: 100, maxSamplesPerSecond: 0 } };
    expect(parseExporterConfigText(exporterConfigText(limited))).toStrictEqual(limited);
    const smaller = { ...valid, retired };
    expect(parseExporterConfigText(exporterConfigText(smaller))).toStrictEqual(smaller);
  });

  it("is written with the same bytes whatever the order of its keys", () => {
    const shuffled = Object.fromEntries(Object.entries(valid).reverse()) as unknown as ExporterConfig;
    expect(exporterConfigText(shuffled)).toBe(exporterConfigText(valid));
  });

  it("is refused when it is not JSON", () => {
    expect(() => parseExporterConfigText("{")).toThrow("(root): not JSON");
  });

  it.each<[string, unknown, string]>([
    [
      "an unknown key",
      { ...valid, extra: 1 },
      "extra: 1: unknown key; remove it (known: version, shardLabel, homeShard, shards, retired, limits, commit, tenantLimits, pushTimeoutMilliseconds, lookbackSeconds, placementUrl)",
    ],
    [
      "no version",
      { ...valid, version: undefined },
      "version: missing: must be 1 to 64 printable characters without blanks",
    ],
    [
      "a bad label",
      { ...valid, shardLabel: "a-b" },
      'shardLabel: "a-b": must be a label name: letters, digits and _, not first a digit',
    ],
    [
      "the metric name",
      { ...valid, shardLabel: "__name__" },
      'shardLabel: "__name__": is the metric name; choose a label',
    ],
    [
      "a placement that is no URL",
      { ...valid, placementUrl: "placement:9104" },
      'placementUrl: "placement:9104": must be a base URL like http://placement:9104 (http, no path, query or user)',
    ],
    ["a home outside", { ...valid, homeShard: 2 }, "homeShard: 2: must be the index of a shard of the ring (0, 1)"],
    ["no shards", { ...valid, shards: [] }, "shards: []: must be a list of 1 to 64 entries"],
    [
      "a twin",
      { ...valid, shards: [valid.shards[0], valid.shards[1], valid.shards[1]] },
      "shards: 1: index is used twice; each must be unique",
    ],
    [
      "a retired shard that is in the ring",
      { ...valid, retired: [{ ...shard3, index: 1 }] },
      "shards: 1: index is used twice; each must be unique",
    ],
    [
      "a Prometheus of the ring for a retired one",
      {
        ...valid,
        retired: [{ ...shard3, replicas: [{ replica: "a", prometheusUrl: "http://prometheus-shard-0-a:9096" }] }],
      },
      'shards: "http://prometheus-shard-0-a:9096": prometheusUrl is used twice; each must be unique',
    ],
    [
      "a retired shard with two replicas of one name",
      { ...valid, retired: [{ ...shard3, replicas: shard3.replicas.map((each) => ({ ...each, replica: "a" })) }] },
      'retired (shard-3).replicas: ["a","a"]: replicas must differ',
    ],
    [
      "a retired shard without a Prometheus",
      { ...valid, retired: [{ ...shard3, replicas: [] }] },
      "retired[0].replicas: []: must be a list of 1 to 2 entries",
    ],
    ["no retired shard in the list", { ...valid, retired: [] }, "retired: []: must be a list of 1 to 63 entries"],
    [
      "a path",
      withUrl("http://hub:9091/metrics"),
      'shards[0].hubs[0].url: "http://hub:9091/metrics": must be a base URL like http://hub-shard-0-a:9091 (http, no path, query or user)',
    ],
    [
      "https",
      withUrl("https://hub:9091"),
      'shards[0].hubs[0].url: "https://hub:9091": must be a base URL like http://hub-shard-0-a:9091 (http, no path, query or user)',
    ],
    [
      "a string for a number",
      { ...valid, pushTimeoutMilliseconds: "5000" },
      'pushTimeoutMilliseconds: "5000": must be a whole number from 10 to 600000',
    ],
    [
      "a shard of which one replica can't be asked",
      {
        ...valid,
        shards: [valid.shards[0], { ...valid.shards[1], hubs: [valid.shards[1]?.hubs[0], bare] }],
      },
      "shards (shard-1).hubs: 1: either every hub of a shard has a prometheusUrl, or none",
    ],
    [
      "a buffer for nothing",
      { ...valid, commit: { ...valid.commit, bufferBytes: 0 } },
      "commit.bufferBytes: 0: must be a whole number from 1024 to 68719476736",
    ],
    [
      "half a byte",
      { ...valid, limits: { ...valid.limits, maxBodyBytes: 2000.5 } },
      "limits.maxBodyBytes: 2000.5: must be a whole number from 1024 to 268435456",
    ],
    [
      "a limit for tenants without a label",
      { ...valid, tenantLimits: { maxSeries: 0, maxSamplesPerSecond: 0 } },
      "tenantLimits.label: missing: must be a label name: letters, digits and _, not first a digit",
    ],
  ])("is refused with %s", (_, value, problem) => {
    expect(problems(value)).toContain(problem);
  });

  it("names every problem at once", () => {
    const found = problems({ ...valid, version: 1, homeShard: -1, limits: {}, commit: {}, pushTimeoutMilliseconds: 0 });
    const keys = found.map((problem) => problem.split(":")[0]);
    expect(keys).toStrictEqual([
      "version",
      "homeShard",
      "limits.maxBodyBytes",
      "limits.maxMessageBytes",
      "limits.maxFutureSeconds",
      "limits.maxAgeSeconds",
      "commit.bufferBytes",
      "commit.scrapeIntervalMilliseconds",
      "commit.maxResendAgeSeconds",
      "commit.drainSeconds",
      "pushTimeoutMilliseconds",
    ]);
  });

  it.each([null, [], 5, "x"])("is refused as a whole when it is %j", (value) => {
    expect(problems(value)[0]).toContain("(root)");
  });
});

function withUrl(url: string): unknown {
  return { ...valid, shards: [{ index: 0, name: "shard-0", hubs: [{ replica: "a", url }] }], homeShard: 0 };
}
