import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CircuitBreaker } from "../../../../services/exporter/circuit-breaker";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function breaker(
  answers: boolean[],
  random = 0.5,
): { breaker: CircuitBreaker; probes: () => number; changes: boolean[] } {
  let probes = 0;
  const changes: boolean[] = [];
  return {
    breaker: new CircuitBreaker({
      probe: () => Promise.resolve(answers[probes++] ?? true),
      random: () => random,
      onChange: (open) => changes.push(open),
    }),
    probes: () => probes,
    changes,
  };
}

describe("CircuitBreaker", () => {
  it("opens after two failures in a row, not after one", () => {
    const { breaker: one } = breaker([]);
    one.failed();
    one.succeeded();
    one.failed();
    expect(one.isOpen).toBe(false);
    one.failed();
    expect(one.isOpen).toBe(true);
  });

  it("opens after one time-out", () => {
    const { breaker: one } = breaker([]);
    one.failed(2);
    expect(one.isOpen).toBe(true);
  });

  it("probes after half a second, then after doubled pauses, and closes with the first good probe", async () => {
    const { breaker: one, probes, changes } = breaker([false, false, true]);
    one.failed(2);
    await vi.advanceTimersByTimeAsync(499);
    expect(probes()).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(probes()).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(probes()).toBe(2);
    await vi.advanceTimersByTimeAsync(1999);
    expect(one.isOpen).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(one.isOpen).toBe(false);
    expect(changes).toStrictEqual([true, false]);
  });

  it("never pauses longer than 15 seconds", async () => {
    const { breaker: one, probes } = breaker(Array.from({ length: 50 }, () => false));
    one.failed(2);
    await vi.advanceTimersByTimeAsync(60_000);
    const before = probes();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(probes() - before).toBe(2);
  });

  it.each([
    [0, 375],
    [0.999, 624],
  ])("spreads the pause (random %d: %d ms)", async (random, pause) => {
    const { breaker: one, probes } = breaker([false], random);
    one.failed(2);
    await vi.advanceTimersByTimeAsync(pause - 1);
    expect(probes()).toBe(0);
    await vi.advanceTimersByTimeAsync(2);
    expect(probes()).toBe(1);
  });

  it("closes when a push gets through, and stops probing", async () => {
    const { breaker: one, probes } = breaker([]);
    one.failed(2);
    one.succeeded();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(one.isOpen).toBe(false);
    expect(probes()).toBe(0);
  });

  it("leaves no timer behind when stopped", () => {
    const { breaker: one } = breaker([]);
    one.failed(2);
    one.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
