import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExposition } from "../../../../services/exporter/exposition";
import { TenantLimiter, type Admission } from "../../../../services/exporter/tenant-limits";

const minute = 60_000;

function limiter(maxSeries: number, maxSamplesPerSecond: number): (lines: readonly string[], at: number) => Admission {
  const limits = new TenantLimiter({ label: "networkID", maxSeries, maxSamplesPerSecond });
  return (lines, at) => {
    const samples = parseExposition(Buffer.from(lines.map((line) => `${line}\n`).join("")), {
      shardLabel: "gatewayID",
      receiveTime: at,
    });
    return limits.admit(
      samples,
      Uint32Array.from({ length: samples.count }, (_, index) => index),
      at,
    );
  };
}

function refused({ refusals }: Admission): readonly (readonly [string, string, number])[] {
  return refusals.map(({ tenant, kind, samples }) => [tenant, kind, samples]);
}

function series(tenant: string, count: number, from = 0): readonly string[] {
  return Array.from({ length: count }, (_, at) => `m{a="${String(from + at)}",networkID="${tenant}"} 1`);
}

describe("the limit of series", () => {
  it("refuses new series beyond it and lets those that are there go on", () => {
    const push = limiter(10, 0);
    expect(refused(push(series("n1", 10), 0))).toStrictEqual([]);
    const admission = push([...series("n1", 10), ...series("n1", 3, 100), ...series("n2", 5)], minute);
    expect(refused(admission)).toStrictEqual([["n1", "series", 3]]);
    expect([...admission.kept]).toStrictEqual([...Array(10).keys(), 13, 14, 15, 16, 17]);
    expect(admission.refusals[0]?.reason).toBe("over the limit for one networkID: 10 series; these are new ones");
  });

  it("forgets series that are no longer pushed after 5 to 10 minutes", () => {
    const push = limiter(10, 0);
    push(series("n1", 10), 0);
    expect(refused(push(series("n1", 1, 100), 4 * minute))).toHaveLength(1);
    push(series("n1", 4), 5 * minute);
    expect(refused(push(series("n1", 7, 200), 10 * minute))).toStrictEqual([["n1", "series", 1]]);
  });

  it("is the tenant's own, and series without the label are one tenant", () => {
    const push = limiter(2, 0);
    const lines = ["m 1", 'm{a="1"} 1', 'm{a="2"} 1', 'm{networkID="n"} 1', 'm{a=",networkID=",b="x"} 1'];
    expect(refused(push(lines, 0))).toStrictEqual([["", "series", 2]]);
  });
});

describe("the limit of samples", () => {
  it("takes a minute's worth at once, then the rate, and says when to come again", () => {
    const push = limiter(0, 10);
    expect(refused(push(series("n1", 600), 0))).toStrictEqual([]);
    const over = push([...series("n1", 20), ...series("n2", 20)], 1000);
    expect(refused(over)).toStrictEqual([["n1", "rate", 20]]);
    expect([over.kept.length, over.refusals[0]?.retryAfter]).toStrictEqual([20, 1]);
    expect(refused(push(series("n1", 20), 2000))).toStrictEqual([]);
  });

  it("takes a push that is larger than a minute's worth once, and then lets the tenant pay it back", () => {
    const push = limiter(0, 10);
    expect(refused(push(series("n1", 1200), 0))).toStrictEqual([]);
    expect(push(series("n1", 1), minute).refusals[0]?.retryAfter).toBe(1);
    expect(refused(push(series("n1", 1), minute + 1000))).toStrictEqual([]);
  });

  it("holds on average for any sequence of pushes", () => {
    const pushes = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 20_000 })));
    fc.assert(
      fc.property(pushes, (list) => {
        const push = limiter(0, 10);
        let [time, taken] = [0, 0];
        for (const [count, wait] of list) {
          time += wait;
          const admission = push(series("n", count), time);
          taken += admission.kept.length;
          expect([0, count]).toContain(admission.kept.length);
          expect(taken).toBeLessThanOrEqual(600 + time / 100 + 1e-6);
        }
      }),
      { numRuns: 50 },
    );
  });
});

it("keeps a bounded number of accounts: tenants beyond it share one", () => {
  const push = limiter(5, 0);
  const first = Array.from({ length: 1000 }, (_, at) => `m{networkID="t${String(at)}"} 1`);
  expect(refused(push(first, 0))).toStrictEqual([]);
  const more = Array.from({ length: 8 }, (_, at) => `m{networkID="x${String(at)}"} 1`);
  expect(refused(push(more, 0))).toStrictEqual([["(other)", "series", 3]]);
});
