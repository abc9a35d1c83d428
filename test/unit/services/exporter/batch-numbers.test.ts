import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BatchNumbers } from "../../../../services/exporter/batch-numbers";
import { parseExposition } from "../../../../services/exporter/exposition";

const LINE = /^pipeline_push_batch\{exporter="(.*)"\} (\d+) (\d+)\n$/;

function read(line: Buffer): { readonly exporter: string; readonly number: number; readonly timestamp: number } {
  const [, exporter = "", number, timestamp] = LINE.exec(line.toString()) ?? [];
  return { exporter, number: Number(number), timestamp: Number(timestamp) };
}

describe("numbers of writes", () => {
  it("go up by one, at timestamps that go up, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5000, max: 5000 }), { minLength: 2, maxLength: 50 }), (steps) => {
        let now = 1_700_000_000_000;
        const numbers = new BatchNumbers("e", () => now);
        const lines = steps.map((step) => {
          now += step;
          return read(numbers.next());
        });
        lines.slice(1).forEach((line, at) => {
          expect(line.number).toBe((lines[at]?.number ?? 0) + 1);
          expect(line.timestamp).toBeGreaterThan(lines[at]?.timestamp ?? Infinity);
        });
      }),
      { numRuns: 100 },
    );
  });

  it("take the time of the write when the clock goes on", () => {
    let now = 1_700_000_000_000;
    const numbers = new BatchNumbers("e", () => now);
    numbers.next();
    now += 250.5;
    expect(read(numbers.next()).timestamp).toBe(1_700_000_000_250);
  });

  it("are above those of the process before, and exact as a sample's value for 200 years", () => {
    const before = new BatchNumbers("e", () => 1_700_000_000_000);
    const last = Array.from({ length: 900 }, () => read(before.next()).number).at(-1) ?? Infinity;
    expect(read(new BatchNumbers("e", () => 1_700_000_000_001).next()).number).toBeGreaterThan(last);
    expect(Number.isSafeInteger(read(new BatchNumbers("e", () => Date.UTC(2200, 0)).next()).number)).toBe(true);
  });

  it("stand in a canonical line, whatever the exporter is called", () => {
    const line = new BatchNumbers('a"b\\c\nd', () => 1_700_000_000_000).next();
    const { count, start, end, text } = parseExposition(line, { shardLabel: "gatewayID", receiveTime: 0 });
    expect([count, start[0], end[0], text.length]).toStrictEqual([1, 0, line.length, line.length]);
  });
});
