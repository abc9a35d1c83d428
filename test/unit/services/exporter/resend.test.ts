import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oldestSample, type Copy, type CopyState, type KeptWrite } from "../../../../services/exporter/kept-write";
import { verdict, type ResendFacts } from "../../../../services/exporter/resend";
import { askable, numbersIn } from "../../../../services/exporter/stored-numbers";

const facts: ResendFacts = {
  now: 1_000_000,
  answeringSince: 0,
  scrapeIntervalMilliseconds: 15_000,
  maxResendAgeSeconds: 600,
};

function copyOf(state: CopyState, changes: Partial<Copy> = {}): Copy {
  return { state, since: 1_000_000 - 30_000, resends: 0, ...changes };
}

function writeOf(copies: readonly Copy[], timestamp = 970_000, number = 1): KeptWrite {
  return { number, timestamp, body: Buffer.alloc(0), samples: 1, cost: 1, copies };
}

function decided(copy: Copy, changes: Partial<ResendFacts> = {}, oldest = 970_000, other: CopyState = "sent"): unknown {
  return verdict(writeOf([copy, copyOf(other)]), copy, { ...facts, ...changes }, () => oldest);
}

describe("a write that a replica lacks", () => {
  it.each<[string, Copy, Partial<ResendFacts>, number, unknown]>([
    ["is sent again two scrape intervals after it was sent", copyOf("sent"), {}, 970_000, { do: "send" }],
    ["is waited for until then", copyOf("sent", { since: 970_001 }), {}, 970_000, { do: "wait" }],
    [
      "is waited for twice as long after it was sent again",
      copyOf("sent", { resends: 1 }),
      {},
      970_000,
      { do: "wait" },
    ],
    ["is waited for while nobody can be asked", copyOf("sent"), { answeringSince: undefined }, 970_000, { do: "wait" }],
    [
      "is waited for when the replica has just come back",
      copyOf("sent"),
      { answeringSince: 970_001 },
      970_000,
      { do: "wait" },
    ],
    ["is sent at once when its hub never took it", copyOf("missed", { since: 1_000_000 }), {}, 970_000, { do: "send" }],
    [
      "is given up when Prometheus would refuse its oldest sample",
      copyOf("missed"),
      {},
      399_999,
      { do: "give-up", reason: "old" },
    ],
    [
      "is given up after eight times",
      copyOf("sent", { resends: 8, since: -10_000_000 }),
      { answeringSince: -10_000_000 },
      970_000,
      { do: "give-up", reason: "tries" },
    ],
    ["is left alone while it is on its way", copyOf("sending"), {}, 970_000, { do: "wait" }],
    ["is left alone when it is stored", copyOf("stored"), {}, 970_000, { do: "wait" }],
  ])("%s", (_, copy, changes, oldest, expected) => {
    expect(decided(copy, changes, oldest)).toStrictEqual(expected);
  });

  it("is given up after a while that nobody can be asked only when the other replica has it", () => {
    const copy = copyOf("sent");
    const silent = { ...facts, answeringSince: undefined, now: 2_000_000 };
    const stored = writeOf([copy, copyOf("stored")]);
    expect(verdict(stored, copy, silent, () => 0)).toStrictEqual({ do: "give-up", reason: "old" });
    expect(verdict(writeOf([copy, copyOf("missed")]), copy, silent, () => 0)).toStrictEqual({ do: "wait" });
  });
});

describe("the oldest sample of a write", () => {
  it("is found whatever its place, values and label values", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 2_000_000_000_000 }), { minLength: 1 }), (timestamps) => {
        const lines = timestamps.map((time, at) => `m{l="a b ${String(at)}"} NaN ${String(time)}\n`).join("");
        expect(oldestSample(Buffer.from(lines))).toBe(Math.min(...timestamps));
      }),
    );
  });
});

describe("questions to a Prometheus", () => {
  it("are cut so that each answer is small, and ask for every write once", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 200 }), (steps) => {
        let timestamp = 0;
        const writes = steps.map((step, at) => writeOf([], (timestamp += step), at));
        const pieces = [...askable(writes)];
        expect(pieces.flat()).toStrictEqual(writes);
        for (const piece of pieces) {
          expect((piece.at(-1)?.timestamp ?? 0) - (piece[0]?.timestamp ?? 0)).toBeLessThanOrEqual(60_000);
        }
      }),
    );
  });

  it("are answered with exact numbers, whatever series they stand in", () => {
    const series = (values: readonly string[]) => ({ metric: {}, values: values.map((value) => [1.5, value]) });
    const answer = {
      status: "success",
      data: { resultType: "matrix", result: [series(["1767225600000001", "1767225600000002"]), series(["7"])] },
    };
    expect([...numbersIn(JSON.stringify(answer))]).toStrictEqual([1767225600000001, 1767225600000002, 7]);
  });

  it.each(["", "{", '{"status":"error"}', '{"status":"success","data":{"resultType":"vector","result":[]}}'])(
    "are not answered by %j",
    (text) => {
      expect(() => numbersIn(text)).toThrow("answer of Prometheus");
    },
  );
});
