import { describe, expect, it } from "vitest";
import {
  AdapterConfigError,
  adapterConfigText,
  parseAdapterConfig,
  parseAdapterConfigText,
  type AdapterConfig,
} from "../../../model/adapter-config";

const good: AdapterConfig = {
  cluster: "main",
  shard: "0",
  replicaLabel: "prometheus_replica",
  replicas: [
    { name: "a", url: "http://prometheus-shard-0-a:9090" },
    { name: "b", url: "http://prometheus-shard-0-b:9090" },
  ],
  leaf: "http://leaf-shard-0:10901",
  hasBucket: true,
  retentionSeconds: 86_400,
  lookbackSeconds: 300,
  timeoutSeconds: 120,
  maxSamples: 50_000_000,
  settleSeconds: 120,
  maxAgeSeconds: 0,
  maxFutureSeconds: 0,
};

function problems(change: object): readonly string[] {
  try {
    parseAdapterConfig({ ...good, ...change });
    return [];
  } catch (error) {
    if (error instanceof AdapterConfigError) return error.problems;
    throw error;
  }
}

describe("adapter configuration", () => {
  it("survives being written and read, in the same bytes whatever the order of its keys", () => {
    const text = adapterConfigText(good);
    expect(parseAdapterConfigText(text)).toStrictEqual(good);
    expect(adapterConfigText(Object.fromEntries(Object.entries(good).reverse()) as unknown as AdapterConfig)).toBe(
      text,
    );
  });

  it("takes a Ruler, which has no Prometheus, and a retired shard, which has only a bucket", () => {
    expect(
      problems({ shard: "ruler", replicas: [{ name: "ruler-a" }, { name: "ruler-b" }], hasBucket: false }),
    ).toEqual([]);
    expect(problems({ replicas: [] })).toStrictEqual([]);
  });

  it.each([
    [{ shard: "" }, 'shard: "": must be 1 to 128 printable characters without blanks'],
    [{ leaf: "leaf:10901" }, 'leaf: "leaf:10901": must be a base URL like http://leaf-shard-0:10901'],
    [{ replicas: [{ name: "a", url: "https://x" }] }, 'replicas[0].url: "https://x": must be a base URL'],
    [{ replicas: [{ name: "a" }, { name: "a" }] }, 'replicas: ["a","a"]: names must differ'],
    [{ replicas: [1, 2].map((name) => ({ name: `r${String(name)}`, url: "http://x" })) }, "URLs must differ"],
    [{ replicaLabel: "shard" }, 'replicaLabel: "shard": is a label of every series'],
    [{ replicas: [], hasBucket: false }, "replicas: []: without replicas there must be a bucket (hasBucket: true)"],
    [{ hasBucket: "yes" }, 'hasBucket: "yes": must be true or false'],
    [{ maxSamples: 1 }, "maxSamples: 1: must be a whole number from 1000 to 5000000000"],
    [{ more: 1 }, "more: 1: unknown key; remove it"],
  ])("%j", (change, message) => {
    expect(problems(change).join("\n")).toContain(message);
  });

  it("names every problem at once", () => {
    expect(() => parseAdapterConfig({})).toThrow(/^adapter configuration has 14 problem\(s\):/);
    expect(() => parseAdapterConfigText("{")).toThrow("adapter configuration has 1 problem(s):\n  (root): not JSON");
  });
});
