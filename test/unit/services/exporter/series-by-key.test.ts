import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSeriesReport, seriesOf, seriesReportText } from "../../../../model/exporter-reports";
import { parseExposition } from "../../../../services/exporter/exposition";
import { SeriesByKey } from "../../../../services/exporter/series-by-key";

function push(counter: SeriesByKey, lines: readonly string[]): void {
  const samples = parseExposition(Buffer.from(lines.map((line) => `${line}\n`).join("")), {
    shardLabel: "gatewayID",
    receiveTime: 5,
  });
  counter.count(
    samples,
    Uint32Array.from({ length: samples.count }, (_, at) => at),
  );
}

const line = (key: string, series: number, value = 1): string =>
  key === "" ? `m${String(series)} ${String(value)}` : `m{gatewayID="${key}",n="${String(series)}"} ${String(value)}`;

/** What the placement makes of it, over the wire. */
const counted = (...counters: readonly SeriesByKey[]) =>
  Object.fromEntries(seriesOf(counters.map((each) => parseSeriesReport(seriesReportText(each.report("gatewayID"))))));

describe("series by key", () => {
  it("counts each series once, however its pushes are cut, ordered and spread over exporters", () => {
    const fleet = fc.array(fc.tuple(fc.constantFrom("", "a", "b", 'q"\\\n'), fc.integer({ min: 0, max: 40 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.array(fleet, { minLength: 1, maxLength: 6 }), (pushes) => {
        const exporters = [new SeriesByKey(() => 0), new SeriesByKey(() => 0)] as const;
        const expected = new Map<string, Set<number>>();
        pushes.forEach((series, at) => {
          for (const [key, number] of series) expected.set(key, (expected.get(key) ?? new Set()).add(number));
          const escaped = (key: string) => key.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
          push(
            exporters[at % 2 === 0 ? 0 : 1],
            series.map(([key, number], value) => line(escaped(key), number, value)),
          );
        });
        expect(counted(...exporters)).toStrictEqual(
          Object.fromEntries([...expected].map(([key, set]) => [key, set.size])),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("forgets what has not been pushed for two periods, and says how long it has counted", () => {
    let now = 0;
    const counter = new SeriesByKey(() => now, { period: 100 });
    push(counter, [line("a", 1), line("a", 2)]);
    now = 150;
    push(counter, [line("a", 1)]);
    expect(counted(counter)).toStrictEqual({ a: 2 });
    now = 290;
    expect(counted(counter)).toStrictEqual({ a: 1 });
    expect(counter.report("gatewayID").coveredMilliseconds).toBe(290);
    now = 600;
    expect(counted(counter)).toStrictEqual({});
  });

  it("stays within its bound: above it, it keeps a part and multiplies", () => {
    const counter = new SeriesByKey(() => 0, { hashes: 2_000 });
    for (const key of ["a", "b"]) {
      push(
        counter,
        Array.from({ length: 10_000 }, (_, series) => line(key, series)),
      );
    }
    const kept = counter.report("gatewayID").periods.flatMap(({ keys }) => [...keys.values()]);
    expect(kept.reduce((sum, hashes) => sum + hashes.length, 0)).toBeLessThanOrEqual(2_000);
    const { a = 0, b = 0 } = counted(counter);
    for (const each of [a, b]) expect(Math.abs(each - 10_000)).toBeLessThan(2_000);
  });

  it("unites an exporter that keeps a part with one that keeps all", () => {
    const [small, large] = [new SeriesByKey(() => 0, { hashes: 1_000 }), new SeriesByKey(() => 0)];
    const lines = Array.from({ length: 8_000 }, (_, series) => line("a", series));
    push(small, lines);
    push(large, lines);
    expect(Math.abs((counted(small, large)["a"] ?? 0) - 8_000)).toBeLessThan(1_500);
  });

  it("says when there are more keys than it counts", () => {
    const counter = new SeriesByKey(() => 0, { keys: 2 });
    push(counter, [line("a", 1), line("b", 1), line("c", 1), line("", 1), line("a", 2)]);
    expect(counter.report("gatewayID").uncountedSeries).toBe(1);
    expect(counted(counter)).toStrictEqual({ "": 1, a: 2, b: 1 });
  });

  it.each([
    ["nothing", ""],
    ["another page", "not found"],
    ["a cut-off report", seriesReportText(new SeriesByKey(() => 0).report("gatewayID")).slice(0, 40)],
    ["other fields", '{"shardLabel":"a","periods":[]}'],
  ])("a report that is %s is refused", (_, text) => {
    expect(() => parseSeriesReport(text)).toThrow();
  });
});
