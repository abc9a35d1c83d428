import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bodyOf } from "../../../../services/exporter/batch";
import { screen } from "../../../../services/exporter/bounds";
import { parseExposition } from "../../../../services/exporter/exposition";

const now = 1_700_000_000_000;
const bounds = { now, maxFutureSeconds: 60, maxAgeSeconds: 1500 };

interface Result {
  readonly kept: readonly string[];
  /** Line and reason. */
  readonly rejected: readonly (readonly [number, string])[];
  readonly counts: Readonly<Record<string, number>>;
}

function screened(body: string): Result {
  const samples = parseExposition(Buffer.from(body), { shardLabel: "gatewayID", receiveTime: now });
  const { kept, rejections } = screen(samples, bounds);
  const text = kept.length === 0 ? "" : bodyOf(samples, kept).toString("utf8");
  return {
    kept: text.split("\n").slice(0, -1),
    rejected: rejections.listed.map(({ line, reason }) => [line, reason] as const),
    counts: Object.fromEntries(rejections.counts),
  };
}

describe("bounds in time", () => {
  it("keep a sample on the very edge and refuse one a millisecond beyond", () => {
    const times = [now + 60_000, now + 60_001, now - 1_500_000, now - 1_500_001];
    const { kept, rejected, counts } = screened(times.map((time, at) => `m${String(at)} 1 ${String(time)}\n`).join(""));
    expect(kept).toStrictEqual([`m0 1 ${String(times[0])}`, `m2 1 ${String(times[2])}`]);
    expect(rejected).toStrictEqual([
      [2, `timestamp ${String(times[1])} is 60.0 s ahead (limit 60 s)`],
      [4, `timestamp ${String(times[3])} is 1500.0 s old (limit 1500 s)`],
    ]);
    expect(counts).toStrictEqual({ future: 1, old: 1 });
  });

  it("refuse timestamps that are no date at all, one by one", () => {
    const { kept, rejected } = screened("a 1 0\nb 1\nc 1 9223372036854775807\n");
    expect(kept).toStrictEqual([`b 1 ${String(now)}`]);
    expect(rejected).toStrictEqual([
      [1, expect.stringContaining("s old")],
      [3, expect.stringContaining("s ahead")],
    ]);
  });
});

describe("one series twice at a timestamp", () => {
  it.each([
    ["1", "1"],
    ["1", "1.0"],
    ["100", "1e2"],
    ["NaN", "nan"],
    ["Inf", "+infinity"],
    ["0", "-0"],
  ])("with equal values (%s, %s) is kept once", (first, second) => {
    expect(screened(`a{b="c"} ${first} ${String(now)}\na{b="c"} ${second} ${String(now)}\n`)).toStrictEqual({
      kept: [`a{b="c"} ${first} ${String(now)}`],
      rejected: [],
      counts: {},
    });
  });

  it("with another value is refused, and the first one stays", () => {
    const time = String(now);
    expect(screened(`a 1 ${time}\nb 1 ${time}\na 2 ${time}\na 1 ${time}\na NaN ${time}\n`)).toStrictEqual({
      kept: [`a 1 ${time}`, `b 1 ${time}`],
      rejected: [3, 5].map((line) => [line, `the series has another value at timestamp ${time} in line 1`]),
      counts: { conflict: 2 },
    });
  });

  it("is found although it is written differently or has no timestamp", () => {
    const { kept, rejected, counts } = screened(`a{b="1",c="2"} 1 ${String(now)}\na { c="2",b="1",d="" } 2\n`);
    expect(kept).toHaveLength(1);
    expect(rejected.map(([line]) => line)).toStrictEqual([2]);
    expect(counts).toStrictEqual({ conflict: 1 });
  });

  it("at different timestamps is two samples", () => {
    expect(screened(`a 1 ${String(now)}\na 2 ${String(now + 1)}\n`).kept).toHaveLength(2);
  });

  it("agrees with a plain table of what was seen", () => {
    const entry = fc.record({ series: fc.nat(5), time: fc.nat(3), value: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const seen = new Map<string, number>();
        const kept: string[] = [];
        const conflicts: number[] = [];
        entries.forEach(({ series, time, value }, at) => {
          const first = seen.get(`${String(series)} ${String(time)}`);
          if (first === undefined) {
            seen.set(`${String(series)} ${String(time)}`, value);
            kept.push(`m{s="${String(series)}"} ${String(value)} ${String(now + time)}`);
          } else if (first !== value) conflicts.push(at + 1);
        });
        const body = entries
          .map(({ series, time, value }) => `m{s="${String(series)}"} ${String(value)} ${String(now + time)}\n`)
          .join("");
        const result = screened(body);
        expect(result.kept).toStrictEqual(kept);
        expect(result.rejected.map(([line]) => line)).toStrictEqual(conflicts);
      }),
      { numRuns: 500 },
    );
  });
});

describe("bodyOf", () => {
  it("copies exactly the chosen lines, in order", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ chosen: fc.boolean(), plain: fc.boolean() }), { minLength: 1 }), (lines) => {
        const body = lines.map(({ plain }, at) => `m${String(at)}${plain ? "" : " "} 1 ${String(now)}\n`).join("");
        const samples = parseExposition(Buffer.from(body), { shardLabel: "g", receiveTime: now });
        const chosen = lines.flatMap((line, at) => (line.chosen ? [at] : []));
        if (chosen.length === 0) return;
        expect(bodyOf(samples, Uint32Array.from(chosen)).toString()).toBe(
          chosen.map((at) => `m${String(at)} 1 ${String(now)}\n`).join(""),
        );
      }),
    );
  });

  it("copies nothing when the push goes on as it came", () => {
    const body = Buffer.from("a 1 5\nb 2 6\n");
    const samples = parseExposition(body, { shardLabel: "g", receiveTime: now });
    expect(bodyOf(samples, Uint32Array.from([0, 1])).buffer).toBe(body.buffer);
  });
});
