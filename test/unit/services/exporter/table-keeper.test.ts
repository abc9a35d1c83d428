import { describe, expect, it } from "vitest";
import { tableText, tableVersion, type PlacementTable } from "../../../../model/placement-table";
import { ExporterMetrics } from "../../../../services/exporter/exporter-metrics";
import { TableKeeper } from "../../../../services/exporter/table-keeper";
import { TablePuller } from "../../../../services/exporter/table-puller";
import type { Asked } from "../../../../services/plumbing/ask";
import { placementConfigOf, tableOf } from "../placement/tables";
import { exporterConfigOf } from "./exporter-config-of";

const ring = placementConfigOf(3).version;
const pinned = (key: string, changes: Partial<PlacementTable> = {}) =>
  tableOf(3, { pins: new Map([[key, [1]]]), ...changes });

/** A keeper and the keys that are pinned in effect, after each change. */
function keeping(): { keeper: TableKeeper; effects: string[] } {
  const effects: string[] = [];
  return { keeper: new TableKeeper({ version: ring }, (pins) => effects.push([...pins.keys()].join())), effects };
}

describe("an exporter's table", () => {
  it("comes into effect at its time, and not before", () => {
    const { keeper, effects } = keeping();
    keeper.take(tableText(pinned("a")), 1_000);
    expect([keeper.isReady, effects]).toStrictEqual([true, ["a"]]);
    keeper.take(tableText(pinned("b", { number: 2, effectiveAt: 6_000 })), 1_000);
    keeper.turn(5_999);
    expect([keeper.wait(5_999), effects]).toStrictEqual([1, ["a"]]);
    keeper.turn(6_000);
    expect([keeper.wait(6_000), effects]).toStrictEqual([undefined, ["a", "b"]]);
  });

  it("makes nobody ready before its time: who has none must not guess", () => {
    const { keeper, effects } = keeping();
    expect(keeper.isReady).toBe(false);
    keeper.take(tableText(pinned("a", { effectiveAt: 2_000 })), 1_000);
    expect([keeper.isReady, effects]).toStrictEqual([false, []]);
    keeper.turn(2_000);
    expect([keeper.isReady, effects]).toStrictEqual([true, ["a"]]);
  });

  it.each([
    ["of another ring", tableText(tableOf(2, { number: 9 })), "this exporter has ring"],
    ["older than the last", tableText(pinned("b", { number: 4 })), "goes back from 5"],
    ["for a far time", tableText(pinned("b", { number: 9, effectiveAt: 70_000 })), "more than a minute"],
    ["corrupt", tableText(pinned("b", { number: 9 })).replace('"key":"b"', '"key":"c"'), "it is corrupt"],
    ["cut off", tableText(pinned("b", { number: 9 })).slice(0, 99), "not JSON"],
  ])("that is %s is refused, and the last good one stays", (_, text, reason) => {
    const { keeper, effects } = keeping();
    const good = pinned("a", { number: 5 });
    keeper.take(tableText(good), 1_000);
    expect(() => keeper.take(text, 1_000)).toThrow(reason);
    expect([keeper.newest, keeper.isReady, effects]).toStrictEqual([good, true, ["a"]]);
  });

  it("names the shards to pass over at once, and only until the report runs out", () => {
    const { keeper } = keeping();
    keeper.take(tableText(pinned("a")), 1_000);
    const failed = [{ shard: 2, from: 1_000, until: 11_000 }];
    keeper.take(tableText(pinned("b", { number: 2, effectiveAt: 9_000, failed })), 1_000);
    expect([0, 1, 2].map((shard) => keeper.isFailed(shard, 2_000))).toStrictEqual([false, false, true]);
    expect(keeper.isFailed(2, 11_000)).toBe(false);
  });
});

describe("pulling", () => {
  it("takes what is new, asks with the number it has, and keeps the last good copy while nobody answers", async () => {
    const { keeper, effects } = keeping();
    const metrics = new ExporterMetrics(exporterConfigOf([["http://hub:1"]]));
    const asked: string[] = [];
    let answer: () => Promise<Asked> = () => Promise.reject(new Error("refused"));
    const get = (url: string): Promise<Asked> => {
      asked.push(url);
      return answer();
    };
    const puller = new TablePuller({ url: "http://p:1", keeper, metrics, now: () => 1_000, get });
    const table = pinned("a", { number: 7 });
    const steps: readonly (readonly [string, () => Promise<Asked>])[] = [
      ["unanswered", answer],
      ["new", () => Promise.resolve({ status: 200, text: tableText(table) })],
      ["same", () => Promise.resolve({ status: 304, text: "" })],
      ["refused", () => Promise.resolve({ status: 200, text: "<html>" })],
      ["unanswered", () => Promise.resolve({ status: 503, text: "there is no table yet" })],
    ];
    for (const [result, next] of steps) {
      const before = metrics.tablePulls.value({ result });
      answer = next;
      await puller.pull();
      expect(metrics.tablePulls.value({ result }), result).toBe(before + 1);
    }
    puller.stop();
    expect(asked.map((url) => url.split("=")[1])).toStrictEqual(["0", "0", "7", "7", "7"]);
    expect([keeper.newest && tableVersion(keeper.newest), effects]).toStrictEqual([tableVersion(table), ["a"]]);
  });
});
