import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { ExporterMetrics } from "../../../../services/exporter/exporter-metrics";
import type { MarkerOutcome } from "../../../../services/exporter/marker-client";
import { markedShards } from "../../../../services/exporter/marked-shards";
import { StaleMarkers } from "../../../../services/exporter/stale-markers";
import { eventually } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";

const urlRetired = "http://pd:1";
const config = exporterConfigOf(
  [["http://a:1", "http://b:1"], ["http://c:1"]],
  { retired: [{ index: 5, name: "shard-5", replicas: [{ replica: "b", prometheusUrl: urlRetired }] }] },
  [["http://pa:1", "http://pb:1"], ["http://pc:1"]],
);
const a = { target_shard: "shard-0", target_replica: "a" };
const b = { target_shard: "shard-0", target_replica: "b" };
const failed: MarkerOutcome = { kind: "failed", detail: "away" };

let metrics: ExporterMetrics;
/** What each Prometheus answers; written when absent. */
let outcomes: Map<string, MarkerOutcome>;
let written: { url: string; text: string }[];
let now: number;

function markers(maxBytes?: number): StaleMarkers {
  return new StaleMarkers(markedShards(config), {
    metrics,
    keep: 1_500_000,
    now: () => now,
    ...(maxBytes === undefined ? {} : { maxBytes }),
    makeClient: (url) => ({
      write: (body) => {
        const outcome = outcomes.get(url) ?? { kind: "written" };
        if (outcome.kind === "written") written.push({ url, text: gunzipSync(body).toString() });
        return Promise.resolve(outcome);
      },
    }),
  });
}

beforeEach(() => {
  metrics = new ExporterMetrics(config);
  outcomes = new Map();
  written = [];
  now = 1_700_000_000_000;
});

const urlA = config.shards[0]?.hubs[0]?.prometheusUrl ?? "";
const urlB = config.shards[0]?.hubs[1]?.prometheusUrl ?? "";

describe("staleness markers", () => {
  it("go to both replicas of the shard, and to no other", async () => {
    const one = markers();
    one.end(0, ["x 5\n", "y 5\n"]);
    await eventually(() => written.length === 2);
    expect(written).toStrictEqual([
      { url: urlA, text: "x 5\ny 5\n" },
      { url: urlB, text: "x 5\ny 5\n" },
    ]);
    expect([metrics.staleMarkers.value(a), metrics.staleMarkers.value(b)]).toStrictEqual([2, 2]);
    expect([one.isIdle, metrics.staleMarkersQueued.value(a)]).toStrictEqual([true, 0]);
  });

  it("go to a retired shard, whose position comes after the ring's", async () => {
    const target = { target_shard: "shard-5", target_replica: "b" };
    expect(metrics.staleMarkersDropped.value(target)).toBe(0);
    const one = markers();
    one.end(2, ["x 5\n"]);
    await eventually(() => one.isIdle && written.length === 1);
    expect(written).toStrictEqual([{ url: urlRetired, text: "x 5\n" }]);
    expect(metrics.staleMarkers.value(target)).toBe(1);
  });

  it("wait for a replica that is away, in their order, while the other gets its own", async () => {
    outcomes.set(urlA, failed);
    const one = markers();
    one.end(0, ["x 5\n"]);
    await eventually(() => metrics.staleMarkerFailures.value(a) > 0);
    one.end(0, ["x 6\n"]);
    await eventually(() => written.length === 2 && metrics.staleMarkersQueued.value(a) === 2);
    expect(written.every(({ url }) => url === urlB)).toBe(true);
    outcomes.clear();
    await eventually(() => one.isIdle);
    expect(written.filter(({ url }) => url === urlA).map(({ text }) => text)).toStrictEqual(["x 5\n", "x 6\n"]);
    expect(metrics.staleMarkersDropped.value(a)).toBe(0);
  });

  it("are dropped and counted when nobody took them for as long as Prometheus would", async () => {
    outcomes.set(urlA, failed);
    const one = markers();
    one.end(0, ["x 5\n"]);
    await eventually(() => metrics.staleMarkerFailures.value(a) > 0);
    now += 1_500_000;
    await eventually(() => one.isIdle);
    expect([metrics.staleMarkersDropped.value(a), metrics.staleMarkersDropped.value(b)]).toStrictEqual([1, 0]);
  });

  it("are dropped when they will never be taken", async () => {
    outcomes.set(urlA, { kind: "refused", detail: "400" });
    const one = markers();
    one.end(0, ["x 5\n"]);
    await eventually(() => written.length === 1 && one.isIdle);
    expect(metrics.staleMarkersDropped.value(a)).toBe(1);
  });

  it("hold no more memory than they may: what comes on top is dropped and counted", async () => {
    outcomes.set(urlA, failed);
    const one = markers(100);
    for (let at = 0; at < 10; at += 1) one.end(0, [`x ${String(at)}\n`]);
    await eventually(() => metrics.staleMarkersDropped.value(a) > 0);
    await eventually(() => metrics.staleMarkersDropped.value(a) + metrics.staleMarkersQueued.value(a) === 10);
    expect(metrics.staleMarkersQueued.value(a)).toBeGreaterThan(0);
    await one.stop(0);
    expect([metrics.staleMarkersDropped.value(a), metrics.staleMarkersQueued.value(a)]).toStrictEqual([10, 0]);
  });

  it("come in pieces that a gate can take", async () => {
    markers().end(
      1,
      Array.from({ length: 9_000 }, (_, at) => `x ${String(at)}\n`),
    );
    await eventually(() => written.length === 3);
    // Packed side by side, so in any order.
    const lines = written.map(({ text }) => text.split("\n").length - 1);
    expect(lines.sort((left, right) => right - left)).toStrictEqual([4_000, 4_000, 1_000]);
  });

  it("come in pieces of a mebibyte at most, however long their labels are", async () => {
    const long = "v".repeat(3_000);
    const one = markers();
    one.end(
      1,
      Array.from({ length: 2_000 }, (_, at) => `x{a="${long}"} ${String(at)}\n`),
    );
    await eventually(() => metrics.staleMarkers.value({ target_shard: "shard-1", target_replica: "a" }) === 2_000);
    expect(Math.max(...written.map(({ text }) => text.length))).toBeLessThanOrEqual(1024 * 1024);
    expect(written.reduce((sum, { text }) => sum + text.split("\n").length - 1, 0)).toBe(2_000);
  });

  it("that wait at a stop get a moment", async () => {
    outcomes.set(urlA, failed);
    const one = markers();
    one.end(0, ["x 5\n"]);
    await eventually(() => metrics.staleMarkerFailures.value(a) > 0);
    outcomes.clear();
    await one.stop(5_000);
    expect([metrics.staleMarkers.value(a), metrics.staleMarkersDropped.value(a)]).toStrictEqual([1, 0]);
  });
});
