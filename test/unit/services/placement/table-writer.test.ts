import { describe, expect, it } from "vitest";
import type { PlacementConfig } from "../../../../model/placement-config";
import { parseTableText, tableText, type PlacementTable } from "../../../../model/placement-table";
import { shardOrder } from "../../../../model/ring";
import { TableKeeper } from "../../../../services/exporter/table-keeper";
import type { Stored } from "../../../../services/placement/table-store";
import { TableWriter } from "../../../../services/placement/table-writer";
import { heaviestOf, magmaFleet, totalOf, Writer, type Series } from "../../model/placement-fleets";
import { lookback, placementConfigOf } from "./tables";

const notice = 5_000;

/** A writer with a clock of its own, and all that it published, as its readers see it. */
class Bench {
  now = 1_700_000_000_000;
  stored: Stored | undefined;
  readonly published: PlacementTable[] = [];
  writer: TableWriter;

  constructor(readonly config: PlacementConfig) {
    this.writer = this.#start(config);
  }

  restart(config = this.config): void {
    this.writer = this.#start(config);
  }

  /** Looks, waits until a change is in effect, and looks again: a settled placement changes no more. */
  settle(series: Series): void {
    this.writer.place(series);
    this.now += notice;
    this.writer.place(series);
  }

  ownerOf(key: string): number | undefined {
    const { table } = this.writer;
    return shardOrder(table, key, table.pins.get(key))[0]?.index;
  }

  #start(config: PlacementConfig): TableWriter {
    return new TableWriter(
      {
        config,
        now: () => this.now,
        notice,
        publish: (stored) => {
          this.stored = stored;
          const last = this.published.at(-1);
          if (last?.number !== stored.table.number) this.published.push(parseTableText(tableText(stored.table)));
        },
      },
      this.stored,
    );
  }
}

const report = (ringVersion: string, failed: readonly number[] = []) => ({ ringVersion, table: 0, failed });

describe("balance, as an exporter routes by the table", () => {
  it.each([2, 3, 4, 5, 6, 7, 8, 10, 12, 16])("%i shards: no shard is too far from the mean", (shards) => {
    for (const seed of [1, 2, 3]) {
      const series = magmaFleet(seed);
      const bench = new Bench(placementConfigOf(shards));
      bench.settle(series);
      const pins: { now?: PlacementTable["pins"] } = {};
      const keeper = new TableKeeper(bench.config, (next) => (pins.now = next));
      for (const table of bench.published) keeper.take(tableText(table), table.effectiveAt);
      const held = new Writer(series, shards, pins.now ?? new Map()).series();
      const mean = totalOf(series) / shards;
      const tolerance = Math.max(1_000, heaviestOf(series));
      for (const each of held) expect(Math.abs(each - mean)).toBeLessThanOrEqual(tolerance);
    }
  });

  it("stays as it is by the same numbers: two tables in all, the first one and that with the pins", () => {
    const bench = new Bench(placementConfigOf(4));
    const series = magmaFleet();
    for (let look = 0; look < 10; look += 1) bench.settle(series);
    expect(bench.published).toHaveLength(2);
  });
});

describe("a change of pins", () => {
  it("takes effect some seconds later, and nothing is planned until then", () => {
    const bench = new Bench(placementConfigOf(4));
    const series = magmaFleet();
    expect(bench.writer.place(series)?.moved.length).toBeGreaterThan(0);
    expect(bench.writer.table.effectiveAt).toBe(bench.now + notice);
    expect(bench.writer.place(series)).toBeUndefined();
    bench.now += notice;
    expect(bench.writer.place(series)?.moved).toStrictEqual([]);
  });

  it("tells for two lookbacks which keys moved, from which shard, and when; they are not moved again before that", () => {
    const bench = new Bench(placementConfigOf(4));
    const series = magmaFleet();
    const plain = new Map([...series.keys()].map((key) => [key, bench.ownerOf(key)]));
    bench.writer.place(series);
    const { moved, effectiveAt } = bench.writer.table;
    expect(moved.length).toBeGreaterThan(0);
    for (const { key, shards, at } of moved) expect([shards, at]).toStrictEqual([[plain.get(key)], effectiveAt]);
    bench.now += notice;
    const before = new Map(moved.map(({ key }) => [key, bench.ownerOf(key)]));
    // Everything else vanishes from two shards: what moved a moment ago must not be moved back.
    const lopsided = new Map([...series].filter(([key]) => before.has(key) || (bench.ownerOf(key) ?? 0) < 2));
    bench.settle(lopsided);
    for (const [key, owner] of before) expect(bench.ownerOf(key)).toBe(owner);
    bench.now += 2 * lookback;
    bench.settle(series);
    for (const { at } of bench.writer.table.moved) expect(at).toBeGreaterThan(bench.now - 2 * lookback);
  });

  it("leaves a key that is not seen for a while where it is", () => {
    const bench = new Bench(placementConfigOf(4));
    const series = magmaFleet();
    bench.settle(series);
    const [pinned = ""] = [...bench.writer.table.pins.keys()].filter((key) => key !== "");
    const owner = bench.ownerOf(pinned);
    bench.settle(new Map([...series].filter(([key]) => key !== pinned)));
    expect(bench.ownerOf(pinned)).toBe(owner);
  });

  it("is not told to anybody when it can't be kept", () => {
    const bench = new Bench(placementConfigOf(4));
    const [first] = bench.published;
    const writer = new TableWriter(
      {
        config: bench.config,
        now: () => bench.now,
        notice,
        publish: () => {
          throw new Error("no space left on device");
        },
      },
      bench.stored,
    );
    expect(() => writer.place(magmaFleet())).toThrow("no space left");
    expect(writer.table).toStrictEqual(first);
  });
});

describe("a restart", () => {
  it("goes on with the very same table", () => {
    const bench = new Bench(placementConfigOf(4));
    bench.settle(magmaFleet());
    const before = tableText(bench.writer.table);
    bench.now += 60_000;
    bench.restart();
    expect(tableText(bench.writer.table)).toBe(before);
  });

  it("numbers go up even if the volume was lost", () => {
    const bench = new Bench(placementConfigOf(4));
    bench.settle(magmaFleet());
    const { number } = bench.writer.table;
    bench.stored = undefined;
    bench.now += 60_000;
    bench.restart();
    expect(bench.writer.table.number).toBeGreaterThan(number);
  });

  it.each([
    [4, 5],
    [5, 4],
  ])("with a ring of %i -> %i shards plans it at once, balanced, and tells the ring before", (from, to) => {
    const bench = new Bench(placementConfigOf(from));
    const series = magmaFleet();
    bench.settle(series);
    const old = bench.writer.table;
    bench.now += 3_600_000;
    bench.restart(placementConfigOf(to));
    const { table } = bench.writer;
    expect(table).toMatchObject({ ringVersion: placementConfigOf(to).version, effectiveAt: bench.now });
    expect(table.number).toBeGreaterThan(old.number);
    expect(table.previous).toStrictEqual([{ homeShard: 0, shards: old.shards, pins: old.pins, until: bench.now }]);
    const held = new Writer(series, to, table.pins).series();
    for (const each of held) expect(Math.abs(each - totalOf(series) / to)).toBeLessThanOrEqual(heaviestOf(series));
    // What is planned by later numbers is the same.
    bench.settle(series);
    expect(bench.writer.table.pins).toStrictEqual(table.pins);
  });

  it("keeps the ring before in the table until no exporter uses it, and two lookbacks longer", () => {
    const bench = new Bench(placementConfigOf(2));
    const series = magmaFleet();
    bench.settle(series);
    const [old, next] = [placementConfigOf(2).version, placementConfigOf(3).version];
    bench.restart(placementConfigOf(3));
    const start = bench.now;
    for (; bench.now < start + 60_000; bench.now += 1_000) bench.writer.observe([report(old), report(next)], true);
    expect(bench.writer.table.previous[0]?.until).toBeGreaterThanOrEqual(start + 59_000);
    const tables = bench.published.length;
    for (; bench.now < start + 120_000; bench.now += 1_000) bench.writer.observe([report(next), report(next)], true);
    expect(bench.published).toHaveLength(tables);
    bench.now += 2 * lookback;
    bench.writer.observe([report(next, [1])], true);
    expect(bench.writer.table.previous).toStrictEqual([]);
  });

  it("with another shard label begins anew", () => {
    const bench = new Bench(placementConfigOf(2));
    bench.settle(magmaFleet());
    bench.restart(placementConfigOf(2, { shardLabel: "networkID" }));
    expect(bench.writer.table).toMatchObject({ shardLabel: "networkID", moved: [], previous: [] });
    expect(bench.writer.table.pins.size).toBe(0);
  });
});

describe("failovers", () => {
  it("are told at once, need no notice, and don't touch the pins", () => {
    const bench = new Bench(placementConfigOf(4));
    bench.settle(magmaFleet());
    const before = bench.writer.table;
    bench.writer.observe([report(bench.config.version, [3]), report(bench.config.version)], true);
    const { table } = bench.writer;
    expect(table.failed).toMatchObject([{ shard: 3, from: bench.now }]);
    expect([table.pins, table.effectiveAt]).toStrictEqual([before.pins, before.effectiveAt]);
    bench.now += 1_000;
    const tables = bench.published.length;
    bench.writer.observe([report(bench.config.version, [3])], true);
    expect(bench.published).toHaveLength(tables);
  });
});
