import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FleetOptions } from "../../../tools/feed/fleet";
import { defaultFleet, gatewaySeriesBounds, gatewaySizes, makeFleet } from "../../../tools/feed/fleet";
import { normalQuantile, permutation } from "../../../tools/feed/random";
import { renderPush } from "../../../tools/feed/render";

const now = Date.UTC(2026, 10, 22, 12);

function keysAt(options: FleetOptions, timestamp: number): readonly string[] {
  const fleet = makeFleet(options, "run");
  return fleet.gateways.flatMap((gateway) => fleet.seriesAt(gateway, timestamp).map(({ key }) => key));
}

describe("the fleet", () => {
  test("is Magma's by default: 347 gateways, about 298 series each, about 105,000 in all, every one distinct", () => {
    const sizes = gatewaySizes(defaultFleet);
    expect(sizes).toHaveLength(347);
    expect(Math.min(...sizes)).toBe(gatewaySeriesBounds.minimum);
    expect(Math.max(...sizes)).toBe(gatewaySeriesBounds.maximum);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    expect(mean).toBeGreaterThan(297.5);
    expect(mean).toBeLessThan(299);
    const keys = keysAt(defaultFleet, now);
    expect(keys.length).toBeGreaterThan(104_800);
    expect(keys.length).toBeLessThan(105_200);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("gives every gateway exactly its number of series, and 1,500 to nobody", () => {
    const fleet = makeFleet(defaultFleet, "run");
    for (const gateway of fleet.gateways) expect(fleet.seriesAt(gateway, now)).toHaveLength(gateway.size);
    const cloud = fleet.gateways.at(-1);
    expect(cloud).toMatchObject({ id: "", size: 1_500 });
    if (cloud !== undefined) {
      for (const { key } of fleet.seriesAt(cloud, now)) expect(key).not.toContain("gatewayID");
    }
  });

  test("has the same sizes for every seed, in another order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const sizes = gatewaySizes({ ...defaultFleet, seed });
        expect([...sizes].sort((a, b) => a - b)).toEqual([...gatewaySizes(defaultFleet)].sort((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
    expect(gatewaySizes({ ...defaultFleet, seed: 2 })).not.toEqual(gatewaySizes(defaultFleet));
  });

  test("is deterministic: the same options give the same bytes", () => {
    const small = { ...defaultFleet, gateways: 5, unassignedSeries: 30, churn: 0.3 };
    const bodies = [makeFleet(small, "run"), makeFleet(small, "run")].map((fleet) =>
      fleet.gateways.map((gateway) => renderPush(fleet, gateway, now).body).join(""),
    );
    expect(bodies[0]).toBe(bodies[1]);
    const other = makeFleet({ ...small, seed: 7 }, "run");
    expect(other.gateways.map((gateway) => renderPush(other, gateway, now).body).join("")).not.toBe(bodies[0]);
  });

  test("replaces the share of series that churn asks for, once a session, and keeps the sizes", () => {
    const options = { ...defaultFleet, gateways: 20, unassignedSeries: 0, churn: 0.2, churnSeconds: 600 };
    const before = new Set(keysAt(options, now));
    const after = keysAt(options, now + 600_000);
    expect(after).toHaveLength(before.size);
    const replaced = after.filter((key) => !before.has(key)).length / after.length;
    expect(replaced).toBeGreaterThan(0.1);
    expect(replaced).toBeLessThan(0.2);
    expect(keysAt({ ...options, churn: 0 }, now)).toEqual(keysAt({ ...options, churn: 0 }, now + 600_000));
  });

  test("renders families without interruption, and knows the series of each line", () => {
    const fleet = makeFleet({ ...defaultFleet, gateways: 3 }, "run");
    for (const gateway of fleet.gateways) {
      const push = renderPush(fleet, gateway, now);
      const lines = push.body.trimEnd().split("\n");
      const types = lines.filter((line) => line.startsWith("# TYPE"));
      expect(new Set(types).size).toBe(types.length);
      expect(lines.length - types.length).toBe(push.samples);
      for (const [index, line] of lines.entries()) {
        const series = push.seriesOfLine(index + 1);
        if (line.startsWith("#")) expect(series).toBeUndefined();
        else expect(line.startsWith(`${series?.key ?? "?"} `)).toBe(true);
        if (!line.startsWith("#")) expect(line.endsWith(` ${String(now)}`)).toBe(true);
      }
    }
  });
});

describe("its random numbers", () => {
  test("permutation holds every number once", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 200 }), (seed, count) => {
        expect([...permutation(seed, count)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });

  test.each([
    [0.5, 0],
    [0.975, 1.959963985],
    [0.025, -1.959963985],
    [0.999, 3.090232306],
    [0.001, -3.090232306],
    [0.841344746, 1],
  ])("the normal quantile of %d is %d", (probability, expected) => {
    expect(normalQuantile(probability)).toBeCloseTo(expected, 6);
  });
});
