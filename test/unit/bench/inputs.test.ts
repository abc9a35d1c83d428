import { describe, expect, it } from "vitest";
import { shardOrder } from "../../../model/ring";
import { shardName } from "../../../model/names";
import { fleetOptions } from "../../../bench/query/dataset";
import { place } from "../../../bench/query/placement";
import { readOptions } from "../../../bench/query/options";
import { fieldsOf, queryText, requestKey } from "../../../bench/query/protobuf";
import { GATEWAY_WIDE, querySet, stepOf } from "../../../bench/query/query-set";
import { cpuOfStat } from "../../../bench/query/proc";
import { labelsOf, pushTimes } from "../../../bench/query/windows";
import { defaultFleet, makeFleet } from "../../../tools/feed/fleet";

const keys = Array.from({ length: 347 }, (_, index) => ({ key: `gw-${String(index)}`, series: 200 + (index % 200) }));

describe("the data set", () => {
  it("places gateways as the ring does, and what has none on the home shard", () => {
    const shards = [0, 1, 2, 3].map((index) => ({ index, name: shardName(index) }));
    const { shardOf, series } = place([...keys, { key: "", series: 100 }], 4, undefined);
    for (const { key } of keys) expect(shardOf.get(key)).toBe(shardOrder({ homeShard: 0, shards }, key)[0]?.index);
    expect(shardOf.get("")).toBe(0);
    expect(series.reduce((sum, each) => sum + each, 0)).toBe(keys.reduce((sum, each) => sum + each.series, 100));
  });

  it("moves gateways until no shard is more than the cap over the mean", () => {
    const { series } = place(keys, 8, 1_000);
    const mean = series.reduce((sum, each) => sum + each, 0) / 8;
    expect(Math.max(...series)).toBeLessThanOrEqual(mean + 1_000);
  });

  it("has Magma's fleet at full size, and enough small gateways for 8 shards at a small one", () => {
    const options = { hours: 24, interval: 60, churn: 0, seed: 1, cap: undefined };
    expect(fleetOptions({ ...options, series: 105_000 }).gateways).toBe(347);
    expect(fleetOptions({ ...options, series: 1_500 }).gateways).toBeGreaterThanOrEqual(8);
  });

  it("pushes once an interval, in a phase of the gateway's own, whatever windows the times are asked for in", () => {
    const whole = pushTimes(1, 7, 60, 0, 7_200_000);
    expect(whole).toHaveLength(120);
    expect([...pushTimes(1, 7, 60, 0, 3_600_000), ...pushTimes(1, 7, 60, 3_600_000, 7_200_000)]).toEqual(whole);
    expect(pushTimes(1, 8, 60, 0, 60_000)).not.toEqual(pushTimes(1, 7, 60, 0, 60_000));
  });
});

describe("options", () => {
  it("names the flag that is wrong", () => {
    expect(() => readOptions(["--hours", "3"])).toThrow(/--hours 3: must be a multiple of 2/);
    expect(() => readOptions(["--n", "2,x"])).toThrow(/--n x/);
    expect(() => readOptions(["--arms", "fast"])).toThrow(/--arms fast/);
  });

  it("always has one Prometheus to compare with", () => {
    expect(readOptions(["--arms", "design"])?.arms).toEqual(["single", "design"]);
  });
});

describe("the query set", () => {
  const end = Date.UTC(2026, 0, 2);
  const set = querySet(end, 24);

  it("has different names, and ranges that start on a step, so that the frontend asks for the same", () => {
    expect(new Set(set.map(({ name }) => name)).size).toBe(set.length);
    for (const { request } of set.filter(({ request: each }) => each.path === "/query_range")) {
      const { start = "", step = "" } = request.parameters;
      expect(Number(start) % Number(step)).toBe(0);
    }
  });

  it("keeps Magma's query below the samples that one Prometheus allows", () => {
    for (const minutes of [720, 1_440]) expect((minutes * 60) / stepOf(minutes)).toBeLessThanOrEqual(240);
  });

  it("joins what a gateway of Magma's fleet has one series of", () => {
    const fleet = makeFleet(defaultFleet, "test");
    for (const name of ["ue_registered", "enb_connected"]) {
      const chosen = fleet.gateways.flatMap((gateway) =>
        fleet.seriesAt(gateway, end).flatMap(({ key }) => {
          const labels = new Map(labelsOf(key, 0));
          const isWide = labels.get("__name__") === name && !labels.has("enodebID") && labels.has("gatewayID");
          return isWide ? [labels.get("gatewayID")] : [];
        }),
      );
      expect(chosen.length, name).toBeGreaterThan(100);
      expect(new Set(chosen).size, name).toBe(chosen.length);
    }
    expect(GATEWAY_WIDE).toBe('enodebID="",gatewayID!=""');
  });

  it("leaves out ranges longer than the data", () => {
    expect(querySet(end, 4).some(({ magmaRange }) => magmaRange === "6h")).toBe(false);
  });
});

describe("captured requests", () => {
  /** A gRPC frame with query (1), timeout (5) and partial response (10) of a QueryRangeRequest. */
  const framed = (query: string, timeout: number): Buffer => {
    const message = Buffer.concat([
      Buffer.from([0x0a, query.length]),
      Buffer.from(query),
      Buffer.from([0x28, timeout, 0x50, 0x01]),
    ]);
    return Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  };
  const path = "/thanos.Query/QueryRange";

  it("are the same whatever is left of the timeout", () => {
    expect(requestKey(path, framed("sum(up)", 120))).toBe(requestKey(path, framed("sum(up)", 119)));
    expect(requestKey(path, framed("sum(up)", 120))).not.toBe(requestKey(path, framed("sum(ud)", 120)));
  });

  it("tell the query", () => {
    expect(queryText(path, framed("sum(up)", 120))).toBe("sum(up)");
    expect(queryText("/thanos.Store/Series", Buffer.from([0, 0, 0, 0, 0]))).toBe("/thanos.Store/Series");
  });

  it("are refused when they are cut off", () => {
    expect(() => fieldsOf(Buffer.from([0x0a, 9, 1]))).toThrow(/within a field/);
  });
});

describe("CPU time", () => {
  it("is read past a program name with blanks and parentheses", () => {
    expect(cpuOfStat("12 (a b) c) S 1 1 1 0 -1 0 1 2 3 4 150 50 0 0 20")).toBe(2);
  });
});
