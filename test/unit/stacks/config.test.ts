import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { DEFAULT_IMAGES } from "../../../model/images";
import { ConfigError, parseConfig } from "../../../stacks/config";
import type { Violation } from "../../../stacks/config-rules";
import { configSchema } from "../../../stacks/schema";
import { BAD } from "./bad-config";

function violationsOf(raw: Record<string, unknown>): readonly Violation[] {
  try {
    parseConfig(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.violations;
    throw error;
  }
  return [];
}

function messageOf(raw: Record<string, unknown>): string {
  try {
    parseConfig(raw);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no error";
}

describe("bad config", () => {
  test.each(BAD)("%s", (_what, raw, path, shown, rule, fix) => {
    expect(messageOf(raw)).toBe(
      `the stack's config has 1 problem:\n\n  scaled-prometheus:${path} is ${shown}\n    rule: ${rule}\n    fix:  ${fix}\n`,
    );
  });

  test("all violations are reported at once, each once", () => {
    const violations = violationsOf({
      serversCount: 65,
      createThanos: "true",
      push: { homeShard: 70, typo: 1 },
      retention: [],
      storage: { size: "2 gigs" },
      outOfOrderWindow: "1m",
      nonsense: true,
    });
    expect(violations.map(({ path }) => path)).toStrictEqual([
      "createThanos",
      "serversCount",
      "push.homeShard",
      "push.typo",
      "retention",
      "storage.size",
      "outOfOrderWindow",
      "nonsense",
    ]);
  });

  test("rules over several keys wait for keys that are wrong by themselves", () => {
    const paths = violationsOf({ serversCount: "x", createThanos: false, retiredShards: [1, 1] }).map(
      ({ path }) => path,
    );
    expect(paths).toStrictEqual(["serversCount", "retiredShards", "retiredShards[1]"]);
  });

  test("keys of Object are unknown keys too", () => {
    expect(violationsOf({ constructor: 1, toString: 2 }).map(({ path }) => path)).toStrictEqual([
      "constructor",
      "toString",
    ]);
  });

  test("a long value is cut", () => {
    expect(messageOf({ clusterLabel: "x".repeat(500) })).toContain(`is "${"x".repeat(96)}...\n`);
  });
});

describe("defaults", () => {
  test("no config at all is the single size", () => {
    const config = parseConfig({});
    expect(config).toMatchObject({
      createThanos: false,
      serversCount: 1,
      highAvailability: false,
      deletionProtection: true,
      clusterLabel: "main",
      retention: { single: "15d", sharded: "15d" },
      images: DEFAULT_IMAGES,
      push: { shardLabel: "gatewayID", homeShard: 0 },
    });
  });

  test("pairs come with Thanos until it is said otherwise", () => {
    expect(parseConfig({ createThanos: true })).toMatchObject({ highAvailability: true, availability: "none" });
    expect(parseConfig({ createThanos: true, highAvailability: false }).highAvailability).toBe(false);
    expect(parseConfig({ highAvailability: false }).highAvailability).toBe(false);
  });

  test("sharded retention is that of the single size until it is set", () => {
    expect(parseConfig({ retention: { single: "40d" } }).retention).toStrictEqual({ single: "40d", sharded: "40d" });
    expect(parseConfig({ retention: { sharded: "30d" } }).retention).toStrictEqual({ single: "15d", sharded: "30d" });
  });

  test("a registry moves the default images, not those that are named", () => {
    const { images } = parseConfig({ images: { registry: "mirror.example/x", hub: "my/hub:1" } });
    expect(images.thanos).toMatch(/^mirror\.example\/x\/thanos\/thanos:/);
    expect(images.hub).toBe("my/hub:1");
  });

  test.each(["dev", "single", "prod"])("Pulumi.%s.yaml is valid", (stack) => {
    const path = join(__dirname, "..", "..", "..", `Pulumi.${stack}.yaml`);
    const file = load(readFileSync(path, "utf8")) as { config: Record<string, unknown> };
    const raw = Object.fromEntries(
      Object.entries(file.config).map(([key, value]) => {
        const plain = value === "true" || value === "false" || (typeof value === "string" && /^\d+$/.test(value));
        return [key.replace("scaled-prometheus:", ""), plain ? (JSON.parse(value) as unknown) : value];
      }),
    );
    expect(violationsOf(raw)).toStrictEqual([]);
  });
});

describe("properties", () => {
  test("whatever is given, the answer is a config or a ConfigError that names every problem", () => {
    const key = fc.oneof(fc.constantFrom(...Object.keys(configSchema.shape)), fc.string());
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue(), { maxKeys: 6 }), (raw) => {
        for (const { path, rule, fix } of violationsOf(raw)) {
          expect(rule).not.toBe("");
          expect(fix).not.toBe("");
          expect(typeof path).toBe("string");
        }
      }),
      { numRuns: 500 },
    );
  });

  test("what is parsed is accepted again, and stays as it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 63 }), (serversCount, homeShard) => {
        fc.pre(homeShard < serversCount);
        const config = parseConfig({ createThanos: true, serversCount, push: { homeShard } });
        expect(parseConfig({ ...config })).toStrictEqual(config);
      }),
      { numRuns: 50 },
    );
  });

  test("retired shards are accepted exactly when each is outside the ring and listed once", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 5 }),
        (serversCount, retiredShards) => {
          const valid =
            retiredShards.every((shard) => shard >= serversCount) &&
            new Set(retiredShards).size === retiredShards.length;
          expect(violationsOf({ createThanos: true, serversCount, retiredShards }).length === 0).toBe(valid);
        },
      ),
    );
  });
});
