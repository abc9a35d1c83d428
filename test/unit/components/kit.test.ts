import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { contentHash, contentName } from "../../../components/kit/content-name";
import { flagList } from "../../../components/kit/flags";
import { commonLabels, selectorLabels } from "../../../components/kit/labels";
import { hubProbes } from "../../../components/kit/probes";
import { nodeHeapMebibytes, resourcesFor } from "../../../components/kit/resources";
import { toYaml } from "../../../components/kit/yaml";
import { CONTAINER_COMPONENTS } from "../../../model/parts";
import { quantity } from "../../../model/quantities";

describe("flags", () => {
  test("are sorted, repeated for lists, and negated for false", () => {
    expect(flagList({ zeta: 1, alpha: "x", on: true, off: false, many: ["b", "a"], empty: "" })).toStrictEqual([
      "--alpha=x",
      "--empty=",
      "--many=b",
      "--many=a",
      "--no-off",
      "--on",
      "--zeta=1",
    ]);
  });
});

describe("labels", () => {
  const part = { component: "hub", shard: 2, replica: "b" } as const;

  test("selectors hold nothing that may change", () => {
    expect(selectorLabels(part)).toStrictEqual({
      "app.kubernetes.io/name": "hub",
      "scaled-prometheus/shard": "2",
      "scaled-prometheus/replica": "b",
    });
  });

  test("the user's labels never replace ours", () => {
    expect(commonLabels(part, { "app.kubernetes.io/name": "mine", team: "x" })).toMatchObject({
      ...selectorLabels(part),
      team: "x",
    });
  });
});

describe("names with content", () => {
  test("change with the name or the text of a file, and only then", () => {
    expect(contentName("exporter", { a: "1" })).toMatch(/^exporter-[0-9a-f]{10}$/);
    expect(contentHash({ a: "1", b: "2" })).toBe(contentHash({ b: "2", a: "1" }));
    expect(new Set([{ a: "1" }, { a: "2" }, { b: "1" }, { a: "1", b: "" }].map(contentHash)).size).toBe(4);
  });
});

describe("probes", () => {
  test("a hub is asked for / only: a GET of /metrics empties it", () => {
    expect(JSON.stringify(hubProbes("http"))).not.toMatch(/metrics|debug/);
  });
});

describe("yaml", () => {
  test("is canonical, and read back as it was", () => {
    const shared = { x: 1 };
    expect(toYaml({ b: shared, a: shared, long: "y".repeat(500) })).toBe(
      `a:\n  x: 1\nb:\n  x: 1\nlong: ${"y".repeat(500)}\n`,
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (value) => {
        expect(load(toYaml(value))).toStrictEqual({ ...value });
      }),
    );
  });
});

describe("resources", () => {
  const load100k = { seriesPerShard: 100_000, hubLimit: 500_000, cacheBytes: 2 ** 26 };

  test.each(CONTAINER_COMPONENTS)("%s: the limit is never below the request, whatever is set", (component) => {
    const size = fc.option(fc.integer({ min: 16, max: 8192 }), { nil: undefined });
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 20_000_000 }), size, size, (seriesPerShard, memory, limit) => {
        fc.pre(memory === undefined || limit === undefined || limit >= memory);
        const text = (value: number | undefined) => (value === undefined ? undefined : `${String(value)}Mi`);
        const found = resourcesFor(
          component,
          { seriesPerShard, hubLimit: 500_000, cacheBytes: 2 ** 26 },
          { memory: text(memory), memoryLimit: text(limit) },
        );
        expect(quantity(found.limits.memory)).toBeGreaterThanOrEqual(quantity(found.requests.memory));
        if (memory !== undefined) expect(found.requests.memory).toBe(text(memory));
        if (limit !== undefined) expect(found.limits.memory).toBe(text(limit));
      }),
    );
  });

  test("Prometheus' request is its limit", () => {
    const { requests, limits } = resourcesFor("prometheus", load100k, {});
    expect(requests.memory).toBe(limits.memory);
  });

  test("three shards of the dev size fit on two cores beside everything else", () => {
    const cpu = (component: (typeof CONTAINER_COMPONENTS)[number]) =>
      quantity(
        resourcesFor(component, { seriesPerShard: 60_000, hubLimit: 500_000, cacheBytes: 2 ** 26 }, {}).requests.cpu,
      );
    const perShard = cpu("prometheus") + cpu("gate") + cpu("sidecar") + cpu("hub");
    const surge = cpu("hub") + cpu("exporter") + cpu("querier");
    expect(3 * perShard + surge + cpu("querier") + cpu("exporter") + cpu("alertmanager")).toBeLessThan(1);
  });

  test("Node's heap stays below the container's limit", () => {
    expect(nodeHeapMebibytes({ requests: { cpu: "1", memory: "1Gi" }, limits: { memory: "1Gi" } })).toBe(768);
  });
});
