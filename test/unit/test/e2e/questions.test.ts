import { describe, expect, test } from "vitest";
import { answeredBy, lacking } from "../../../e2e/pairs/gaps";
import { difference, questionsOf, settledTime, type Question } from "../../../e2e/pairs/questions";
import { defaultFleet } from "../../../../tools/feed/fleet";
import type { LedgerContents, LedgerRecord } from "../../../../tools/feed/ledger";
import type { QueryResult } from "../../../../tools/prometheus-api";

const time = 1_800_000_000_000;
const gateways = 3;

const push = (g: number, t: number): readonly LedgerRecord[] => [
  { kind: "send", g, t },
  { kind: "ack", g, t, at: t + 100 },
];

/** 40 rounds, 3 s apart, the last at `time`; pusher 3 is the cloud. */
function ledger(more: readonly LedgerRecord[] = []): LedgerContents {
  const fleet = { ...defaultFleet, gateways, meanSeries: 80, unassignedSeries: 20 };
  const records = Array.from({ length: 40 }, (_, round) => time - 3_000 * round).flatMap((t) =>
    [0, 1, 2, 3].flatMap((g) => push(g, t)),
  );
  const header = { kind: "header", version: 1, run: "r1", startedAt: time, intervalSeconds: 3, fleet } as const;
  return { header, records: [...records, ...more], tornBytes: 0, wholeBytes: 0 };
}

const questions = questionsOf(ledger());

function question(pattern: RegExp): Question {
  const found = questions.find(({ text }) => pattern.test(text("t")));
  if (found === undefined) throw new Error(`no question like ${String(pattern)}`);
  return found;
}

/** The right answer to a question, as the API gives it. */
function rightAnswer({ expected, range }: Question): QueryResult {
  const samples = [...expected].map(([key, { value }]) => {
    const [labels = "", at = ""] = key.split(" at ");
    return { labels: Object.fromEntries(JSON.parse(labels) as [string, string][]), timestamp: Number(at), value };
  });
  if (range === undefined) return { type: "vector", samples, warnings: [] };
  const series = samples.map(({ labels, timestamp, value }) => ({ labels, values: [[timestamp, value]] as const }));
  return { type: "matrix", series, warnings: [] };
}

describe("the time that is asked about", () => {
  test("is the last multiple of 10 s of which everything is known", () => {
    expect(settledTime(ledger())).toBe(time);
    expect(settledTime(ledger(push(0, time + 19_999)))).toBe(time + 10_000);
  });

  test("is before a push of which nobody knows whether it is stored", () => {
    const unsure = { kind: "send", g: 1, t: time + 12_000 } as const;
    expect(settledTime(ledger([...push(0, time + 30_000), unsure]))).toBe(time + 10_000);
    expect(settledTime(ledger([{ kind: "send", g: 1, t: time }]))).toBe(time);
    expect(settledTime(ledger([{ kind: "send", g: 1, t: time - 1 }]))).toBe(time - 10_000);
  });

  test("does not exist before anything was acknowledged", () => {
    expect(() => settledTime({ records: [] })).toThrow("nothing was acknowledged");
  });
});

describe("questions with known answers", () => {
  test("there are some of every kind, and every gateway is asked about", () => {
    const count = (kind: string) => questions.filter((each) => each.kind === kind).length;
    expect([count("fleet"), count("panel"), count("gateway")]).toEqual([2, 4, 4 * gateways]);
    expect(questions.filter(({ expected }) => expected.size === 0)).toEqual([]);
  });

  test("a tag changes the text alone, whole seconds and the run stay", () => {
    for (const { text, time: at, range } of questions) {
      expect(text("1")).not.toBe(text("2"));
      expect(text("1").replace('load!="1"', 'load!="2"')).toBe(text("2"));
      expect(text("1")).toContain('feed_run="r1"');
      expect([at % 10_000, (range?.start ?? 0) % 10_000]).toEqual([0, 0]);
    }
  });

  test("the right answer is right", () => {
    for (const each of questions) expect(difference(each, rightAnswer(each)), each.text("")).toBeUndefined();
  });

  test("an answer without one series of the fleet is wrong", () => {
    const fleet = question(/^count\(/);
    const right = rightAnswer(fleet);
    const [value] = [...fleet.expected.values()].map((each) => each.value);
    if (right.type !== "vector" || value === undefined) throw new Error("not a number");
    expect(value).toBe(3 * 80 + 20);
    const samples = right.samples.map((sample) => ({ ...sample, value: sample.value - 1 }));
    expect(difference(fleet, { ...right, samples })).toBe(
      `${String(value - 1)} instead of ${String(value)} for [] at ${String(time)}`,
    );
  });

  test("one lost sample makes a gateway's answer another one", () => {
    const lost = ledger();
    const without = { ...lost, records: lost.records.filter((record) => record.g !== 0 || record.t !== time - 30_000) };
    const changed = questionsOf(without).flatMap((each, at) => {
      const before = questions[at];
      return before === undefined || difference(before, rightAnswer(each)) === undefined ? [] : [each.text("")];
    });
    expect(changed.some((text) => text.includes("sum_over_time"))).toBe(true);
  });

  test("nothing, too much, a second value, another type and a warning are wrong; infos are not", () => {
    const total = question(/^sum\(last_over_time/);
    const right = rightAnswer(total);
    if (right.type !== "vector") throw new Error("not a vector");
    const [sample] = right.samples;
    if (sample === undefined) throw new Error("no sample");
    expect(difference(total, { ...right, samples: [] })).toContain("nothing instead of");
    const more = { ...sample, labels: { gatewayID: "gw-9" } };
    expect(difference(total, { ...right, samples: [sample, more] })).toContain("instead of nothing");
    expect(difference(total, { ...right, samples: [sample, sample] })).toContain("two values");
    expect(difference(total, { type: "scalar", timestamp: time, value: 1, warnings: [] })).toBe("a scalar");
    expect(difference(total, { ...right, warnings: ["store gone"] })).toBe("warning: store gone");
    expect(difference(total, { ...right, warnings: ["PromQL info: not a counter"] })).toBeUndefined();
  });
});

describe("gaps of a replica", () => {
  test("are the times of the writes that only the other one has", () => {
    const mine = new Map([["e1", [[1_000, 1] as const, [3_000, 3] as const]]]);
    const theirs = new Map([
      ["e1", [[1_000, 1] as const, [2_000, 2] as const, [3_000, 3] as const]],
      ["e2", [[500, 9] as const]],
    ]);
    expect(lacking(mine, theirs)).toEqual([500, 2_000]);
    expect(lacking(theirs, mine)).toEqual([]);
  });
});

test("what the adapters have answered is added up over their pods", () => {
  const page = (prometheus: number, leaf: number) =>
    `# TYPE adapter_queries_total counter\nadapter_queries_total{via="prometheus"} ${String(prometheus)}\n` +
    `adapter_queries_total{via="leaf"} ${String(leaf)}\nadapter_queries_total{via="nobody"} 7\n`;
  expect(answeredBy([page(3, 1), page(40, 20)])).toEqual({ prometheus: 43, leaf: 21 });
});
