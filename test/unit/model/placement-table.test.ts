import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePlacementConfig, parsePlacementConfigText, placementConfigText } from "../../../model/placement-config";
import { parseTableText, tableText, tableVersion } from "../../../model/placement-table";
import { placementConfigOf, tableOf } from "../services/placement/tables";

const full = tableOf(3, {
  number: 1_700_000_000_000,
  pins: new Map([
    ["", [0, 2]],
    ['g"\\\n1', [1]],
  ]),
  effectiveAt: 1_700_000_005_000,
  moved: [{ key: "g1", shards: [2], at: 1_700_000_000_000 }],
  failed: [{ shard: 1, from: 5, until: 10 }],
  previous: [{ homeShard: 1, shards: [{ index: 1, name: "shard-1" }], pins: new Map([["a", [1]]]), until: 7 }],
});

type Json = Record<string, unknown>;
const changed = (changes: Json): string => JSON.stringify({ ...(JSON.parse(tableText(full)) as Json), ...changes });

describe("the table", () => {
  it("survives being written and read", () => {
    expect(parseTableText(tableText(full))).toStrictEqual(full);
    expect(parseTableText(tableText(tableOf(1)))).toStrictEqual(tableOf(1));
  });

  it("is refused where it is cut off, wherever that is", () => {
    const text = tableText(full).trimEnd();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length - 1 }), (length) => {
        expect(() => parseTableText(text.slice(0, length))).toThrow("not JSON");
      }),
    );
  });

  it.each([
    ["pins of another table", { pins: [{ key: "a", shards: [1] }] }, "it is corrupt"],
    ["another version", { version: tableVersion(tableOf(3)) }, "it is corrupt"],
    ["another ring's version", { ringVersion: tableOf(2).ringVersion }, "it is corrupt"],
    ["a pin of no shard", { pins: [{ key: "a", shards: [7] }] }, "names no shard of the ring"],
    ["an empty pin", { pins: [{ key: "a", shards: [] }] }, "1 to 64 entries"],
    [
      "a pin twice",
      {
        pins: [
          { key: "a", shards: [1] },
          { key: "a", shards: [0] },
        ],
      },
      "is pinned twice",
    ],
    ["a home outside the ring", { homeShard: 9 }, "must be the index of a shard"],
    ["no number", { number: undefined }, "number: missing"],
    ["a number beyond all clocks", { number: 1e15 }, "number: "],
    ["an unknown field", { more: 1 }, "unknown key"],
    [
      "shards twice",
      {
        shards: [
          { index: 0, name: "a" },
          { index: 0, name: "b" },
        ],
      },
      "each must be unique",
    ],
    ["a lookback of nothing", { lookback: 0 }, "lookback: 0"],
    [
      "an earlier ring without a home",
      { previous: [{ homeShard: 3, shards: full.shards, pins: [], until: 1 }] },
      "of that ring",
    ],
  ])("is refused with %s", (_, changes, reason) => {
    expect(() => parseTableText(changed(changes))).toThrow(reason);
  });

  it("begins as a ring table that other writers read (RING.md)", () => {
    const json = JSON.parse(tableText(full)) as Json;
    expect(json).toMatchObject({
      version: tableVersion(full),
      shardLabel: "gatewayID",
      homeShard: 0,
      shards: [
        { index: 0, name: "shard-0" },
        { index: 1, name: "shard-1" },
        { index: 2, name: "shard-2" },
      ],
      pins: [
        { key: "", shards: [0, 2] },
        { key: 'g"\\\n1', shards: [1] },
      ],
    });
  });
});

describe("the placement's configuration", () => {
  it("survives being written and read", () => {
    const config = placementConfigOf(3);
    expect(parsePlacementConfigText(placementConfigText(config))).toStrictEqual(config);
  });

  it.each([
    [{ version: "0000000000000000" }, "that of this ring"],
    [{ homeShard: 5 }, "homeShard: 5"],
    [{ exporters: "http://x:1" }, "must be host:port"],
    [{ exporterReplicas: 0 }, "exporterReplicas: 0"],
    [{ more: true }, "unknown key"],
  ])("%j is refused", (changes, reason) => {
    expect(() => parsePlacementConfig({ ...placementConfigOf(2), ...changes })).toThrow(reason);
  });
});
