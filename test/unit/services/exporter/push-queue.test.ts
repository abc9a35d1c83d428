import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HubOutcome } from "../../../../services/exporter/hub-outcome";
import { PushQueue } from "../../../../services/exporter/push-queue";

const stored: HubOutcome = { kind: "stored" };
const full: HubOutcome = { kind: "failed", failure: "full", detail: "406" };
const bad: HubOutcome = { kind: "bad-payload", detail: "400" };
const timeout = 1_000;

interface Sent {
  readonly bodies: readonly string[];
  readonly answer: (outcome: HubOutcome) => void;
}

/** A hub that answers when it is told to. */
function queue(): { readonly push: (body: string) => Promise<HubOutcome>; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  const one = new PushQueue(
    (bodies) => new Promise((answer) => sent.push({ bodies: bodies.map(String), answer })),
    timeout,
  );
  return { push: (body) => one.push(Buffer.from(body)), sent };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Lets promises that are settled have their effects. */
const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe("pushes to one hub", () => {
  it("go out at once while fewer than two are under way", () => {
    const { push, sent } = queue();
    void push("a");
    void push("b");
    expect(sent.map(({ bodies }) => bodies)).toStrictEqual([["a"], ["b"]]);
  });

  it("that wait go out together as soon as one is answered", async () => {
    const { push, sent } = queue();
    const outcomes = ["a", "b", "c", "d"].map(push);
    expect(sent).toHaveLength(2);
    sent[1]?.answer(stored);
    await settled();
    expect(sent[2]?.bodies).toStrictEqual(["c", "d"]);
    sent[0]?.answer(stored);
    sent[2]?.answer(stored);
    expect(await Promise.all(outcomes)).toStrictEqual([stored, stored, stored, stored]);
  });

  it("are joined up to a mebibyte, and a larger one goes alone", async () => {
    const { push, sent } = queue();
    const large = "x".repeat(1024 * 1024 + 1);
    for (const body of ["a", "b", large, "c", "d"]) void push(body);
    sent[0]?.answer(stored);
    sent[1]?.answer(stored);
    await settled();
    expect(sent.slice(2).map(({ bodies }) => bodies)).toStrictEqual([[large], ["c", "d"]]);
  });

  it.each([
    ["has no room for together", full],
    ["calls bad together", bad],
  ])("that the hub %s are asked for one by one", async (_, refusal) => {
    const { push, sent } = queue();
    const [, , third, fourth] = ["a", "b", "c", "d"].map(push);
    sent[0]?.answer(stored);
    await settled();
    sent[2]?.answer(refusal);
    await settled();
    expect(sent[3]?.bodies).toStrictEqual(["c"]);
    sent[3]?.answer(stored);
    await settled();
    expect(sent[4]?.bodies).toStrictEqual(["d"]);
    sent[4]?.answer(refusal);
    expect([await third, await fourth]).toStrictEqual([stored, refusal]);
  });

  it("fail within their timeout when the hub hangs, those that wait too", async () => {
    const { push, sent } = queue();
    const first = push("a");
    void push("b");
    await vi.advanceTimersByTimeAsync(timeout - 1);
    const third = push("c");
    await vi.advanceTimersByTimeAsync(1);
    expect(await first).toMatchObject({ kind: "failed", failure: "timeout" });
    await vi.advanceTimersByTimeAsync(timeout - 1);
    expect(await third).toMatchObject({ kind: "failed", failure: "timeout" });
    // What nobody waits for any more is not sent.
    sent[0]?.answer(stored);
    await settled();
    expect(sent).toHaveLength(2);
  });
});
