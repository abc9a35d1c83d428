import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  missingBehindLeaf,
  route,
  type Interval,
  type ReplicaView,
  type RoutedQuery,
  type ShardView,
} from "../../../../services/adapter/route";

const now = 1_700_000_000_000;
const day = 86_400_000;
const time = fc.integer({ min: now - 30 * day, max: now });

const interval: fc.Arbitrary<Interval> = fc
  .tuple(time, time)
  .map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }));

function replica(name: string): fc.Arbitrary<ReplicaView> {
  return fc.record({
    name: fc.constant(name),
    isAskable: fc.constant(true),
    isUp: fc.boolean(),
    gaps: fc.array(interval, { maxLength: 3 }),
    labelledFrom: fc.oneof(fc.constantFrom(-Infinity, Infinity), time),
    lowest: fc.option(time, { nil: undefined }),
    blocks: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
  });
}

const shard: fc.Arbitrary<ShardView> = fc.record({
  now: fc.constant(now),
  retention: fc.integer({ min: day, max: 20 * day }),
  hasBucket: fc.boolean(),
  replicas: fc.oneof(fc.tuple(), fc.tuple(replica("a")), fc.tuple(replica("a"), replica("b"))),
  sticky: fc.constantFrom(undefined, "a", "b"),
});

const query: fc.Arbitrary<RoutedQuery> = fc.record({
  needs: fc.option(
    fc
      .record({
        range: interval,
        isPinned: fc.boolean(),
        hasInstantSelector: fc.boolean(),
      })
      .map(({ range, ...rest }) => ({ oldest: range.from, newest: range.to, ...rest })),
    { nil: undefined },
  ),
  step: fc.constantFrom(0, 15, 60, 300, 3600),
  lookback: fc.constant(300),
  needsLeaf: fc.constantFrom(undefined, undefined, undefined, "restricted" as const),
});

function overlaps({ gaps }: ReplicaView, { from, to }: Interval): boolean {
  return gaps.some((gap) => gap.from <= to && gap.to >= from);
}

describe("route", () => {
  it("never asks a replica that is down, has a gap, lacks labels or is too young for what is needed", () => {
    fc.assert(
      fc.property(query, shard, (asked, known) => {
        const { replicas } = route(asked, known);
        if (asked.needs === undefined || asked.needsLeaf !== undefined) {
          expect(replicas).toStrictEqual([]);
          return;
        }
        const { oldest, newest } = asked.needs;
        for (const name of replicas) {
          const one = known.replicas.find((each) => each.name === name);
          expect(one?.isUp).toBe(true);
          if (one === undefined) continue;
          expect(overlaps(one, { from: oldest, to: newest })).toBe(false);
          expect(one.labelledFrom).toBeLessThanOrEqual(oldest);
          if (!known.hasBucket) continue;
          expect(oldest).toBeGreaterThanOrEqual(known.now - known.retention);
          expect(one.lowest).toBeLessThanOrEqual(oldest);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps to the replica that answered last as long as that can answer", () => {
    fc.assert(
      fc.property(query, shard, (asked, known) => {
        const { replicas } = route(asked, known);
        if (known.sticky !== undefined && replicas.includes(known.sticky)) expect(replicas[0]).toBe(known.sticky);
      }),
    );
  });

  it("asks every replica that is up and flawless, whatever the other one lacks", () => {
    fc.assert(
      fc.property(query, shard, (asked, known) => {
        fc.pre(asked.needs !== undefined && asked.needsLeaf === undefined && asked.step <= asked.lookback);
        const flawless = { isUp: true, gaps: [], labelledFrom: -Infinity, lowest: 0 };
        const replicas = known.replicas.map((each) => (each.name === "b" ? { ...each, ...flawless } : each));
        fc.pre(replicas.length === 2);
        const plan = route(asked, { ...known, replicas, retention: Infinity });
        expect(plan.replicas).toContain("b");
      }),
    );
  });

  const flawless: ReplicaView = {
    name: "a",
    isAskable: true,
    isUp: true,
    gaps: [],
    labelledFrom: -Infinity,
    lowest: now - 20 * day,
    blocks: 12,
  };
  const known: ShardView = { now, retention: 15 * day, hasBucket: true, replicas: [flawless], sticky: undefined };
  const needs = { oldest: now - day, newest: now, isPinned: false, hasInstantSelector: true };
  const asked: RoutedQuery = { needs, step: 60, lookback: 300, needsLeaf: undefined };

  it.each([
    ["is down", { isUp: false }, {}, "no replica to ask"],
    ["has a gap", { gaps: [{ from: now - 5000, to: now - 4000 }] }, {}, "gaps"],
    ["is not known to be labelled", { labelledFrom: Infinity }, {}, "unlabelled series"],
    ["has lost its disk", { lowest: now - 3600_000 }, {}, "before the oldest local sample"],
    ["is asked for more than it keeps", {}, { needs: { ...needs, oldest: now - 16 * day } }, "beyond retention"],
    ["would open many blocks for each step", {}, { step: 360 }, "sparse steps"],
    ["gets a query without a plan", {}, { needs: undefined }, "no plan"],
  ] as const)("goes to the leaf when the replica %s", (_, replicaChange, queryChange, reason) => {
    const plan = route({ ...asked, ...queryChange }, { ...known, replicas: [{ ...flawless, ...replicaChange }] });
    expect(plan).toStrictEqual({ replicas: [], reason });
  });

  it("asks Prometheus for sparse steps over few blocks, and for what reads no series at all", () => {
    expect(route({ ...asked, step: 360 }, { ...known, replicas: [{ ...flawless, blocks: 2 }] }).replicas).toEqual([
      "a",
    ]);
    const nothing = { oldest: Infinity, newest: -Infinity, isPinned: false, hasInstantSelector: false };
    const gap = { ...flawless, gaps: [{ from: -Infinity, to: Infinity }] };
    expect(route({ ...asked, needs: nothing }, { ...known, replicas: [gap] }).replicas).toStrictEqual(["a"]);
  });
});

describe("missingBehindLeaf", () => {
  it("lets a leaf answer only if some replica that it sees has all that is needed, or it sees all replicas", () => {
    const seen = fc.subarray(["a", "b"]).map((names) => ({ replicas: new Set(names), tsdbs: names.length }));
    fc.assert(
      fc.property(interval, shard, seen, (range, known, leaf) => {
        const missing = missingBehindLeaf({ oldest: range.from, newest: range.to }, known, leaf);
        const visible = known.replicas.filter(({ name }) => leaf.replicas.has(name));
        const isComplete =
          known.replicas.length === 0
            ? leaf.tsdbs > 0
            : visible.length === known.replicas.length || visible.some((each) => !overlaps(each, range));
        expect(missing === undefined).toBe(isComplete);
      }),
      { numRuns: 1_000 },
    );
  });

  it("does not take a Ruler that it can't ask for dead", () => {
    const ruler = (name: string): ReplicaView => ({
      name,
      isAskable: false,
      isUp: false,
      gaps: [],
      labelledFrom: Infinity,
      lowest: undefined,
      blocks: undefined,
    });
    const known = { now, retention: day, hasBucket: false, replicas: [ruler("a"), ruler("b")], sticky: undefined };
    expect(missingBehindLeaf(undefined, known, { replicas: new Set(["b"]), tsdbs: 1 })).toBeUndefined();
    expect(missingBehindLeaf(undefined, known, { replicas: new Set(), tsdbs: 1 })).toStrictEqual({
      text: "the leaf sees no replica (a, b)",
      isPassing: true,
    });
  });
});
