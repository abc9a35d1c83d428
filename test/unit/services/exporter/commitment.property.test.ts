import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommitBuffer, type GivenUpReason } from "../../../../services/exporter/commit-buffer";
import { isStored, type KeptWrite } from "../../../../services/exporter/kept-write";
import { CommitWorld } from "./commit-world";
import { cases } from "../../../thorough";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const GATEWAYS = Array.from({ length: 12 }, (_, at) => `g${String(at)}`);

/** What happens to the world. */
type Deed =
  | { readonly do: "push"; readonly gateways: readonly string[] }
  | { readonly do: "kill" | "hub" | "prometheus" | "cut"; readonly replica: number }
  | { readonly do: "pass"; readonly seconds: number };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.subarray(GATEWAYS, { minLength: 1 }).map((gateways) => ({ do: "push", gateways }) as const),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("kill" as const, "hub" as const, "prometheus" as const, "cut" as const),
      replica: fc.nat(3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("pass" as const), seconds: fc.integer({ min: 1, max: 20 }) }) },
);

async function happen(world: CommitWorld, deeds: readonly Deed[]): Promise<void> {
  const replicas = world.replicas.flat();
  for (const each of deeds) {
    if (each.do === "push") await world.push(each.gateways);
    if (each.do === "pass") await world.pass(each.seconds);
    if (each.do === "push" || each.do === "pass") continue;
    const replica = replicas[each.replica % replicas.length];
    if (replica === undefined) continue;
    // A scrape that fails after the hub has let its samples go is the same as a kill.
    if (each.do === "kill") replica.killHub();
    if (each.do === "hub") {
      replica.isHubUp = !replica.isHubUp;
      if (!replica.isHubUp) replica.killHub();
    }
    if (each.do === "prometheus") replica.isPrometheusUp = !replica.isPrometheusUp;
    if (each.do === "cut") replica.isScraped = !replica.isScraped;
  }
}

function recover(world: CommitWorld): void {
  for (const replica of world.replicas.flat()) {
    replica.isHubUp = true;
    replica.isPrometheusUp = true;
    replica.isScraped = true;
  }
}

/** Longer than the longest pause before a write is sent again that comes about within the deeds above. */
const LONG_ENOUGH = 900;

describe("whatever happens to hubs and Prometheus servers", () => {
  it("every acknowledged sample is on every replica of a shard in the end, and both hold the same", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom([1, 1], [1, 2], [2, 2]),
        fc.array(deed, { minLength: 1, maxLength: 40 }),
        async ([shards = 1, replicas = 1], deeds) => {
          const world = new CommitWorld(shards, replicas);
          await happen(world, deeds);
          recover(world);
          await world.pass(LONG_ENOUGH);
          world.stop();
          expect(world.nowhere()).toStrictEqual([]);
          for (const [a, b] of world.replicas)
            if (a && b) expect(new Map([...a.stored].sort())).toStrictEqual(new Map([...b.stored].sort()));
          expect(world.commitment.buffer.bytes).toBe(0);
          expect(world.metric("exporter_lost_samples_total")).toBe(0);
        },
      ),
      { numRuns: cases(60) },
    );
  });

  it("every acknowledged sample is on the replica that survives, when the other goes for good", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    await fc.assert(
      fc.asyncProperty(
        fc.array(deed, { minLength: 1, maxLength: 25 }),
        fc.array(deed, { maxLength: 10 }),
        fc.nat(1),
        async (before, after, victim) => {
          const world = new CommitWorld(1, 2);
          const [gone, survivor] = [world.replica(0, victim), world.replica(0, 1 - victim)];
          await happen(world, before);
          recover(world);
          // What only the one has stored, the other is sent while the exporter still keeps it.
          gone.isHubUp = false;
          gone.isPrometheusUp = false;
          gone.killHub();
          await happen(
            world,
            after.map((each) => ("replica" in each ? { ...each, replica: 1 - victim } : each)),
          );
          survivor.isHubUp = true;
          survivor.isPrometheusUp = true;
          survivor.isScraped = true;
          await world.pass(LONG_ENOUGH);
          world.stop();
          expect([...world.acknowledged].filter((sample) => !survivor.has(sample))).toStrictEqual([]);
        },
      ),
      { numRuns: cases(40) },
    );
  });

  it("a small buffer never holds more than its limit, and nothing acknowledged is lost while the replicas come back", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 40 }), async (deeds) => {
        const limit = 8 * 1024;
        const world = new CommitWorld(2, 2, { bufferBytes: limit });
        for (const each of deeds) {
          await happen(world, [each]);
          expect(world.commitment.buffer.bytes).toBeLessThanOrEqual(limit);
        }
        recover(world);
        await world.pass(LONG_ENOUGH);
        world.stop();
        expect(world.nowhere()).toStrictEqual([]);
        expect(world.metric("exporter_lost_samples_total")).toBe(0);
      }),
      { numRuns: cases(40) },
    );
  });
});

/** What happens to a buffer. */
type Step =
  | { readonly do: "keep"; readonly shard: number; readonly bytes: number; readonly taken: readonly [boolean, boolean] }
  | { readonly do: "stored" | "tries"; readonly pick: number; readonly replica: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("keep" as const),
    shard: fc.nat(2),
    bytes: fc.integer({ min: 0, max: 9000 }),
    taken: fc.tuple(fc.boolean(), fc.boolean()),
  }),
  fc.record({ do: fc.constantFrom("stored" as const, "tries" as const), pick: fc.nat(1000), replica: fc.nat(1) }),
);

describe("a buffer", () => {
  it("counts every byte, stays below its limit, and drops for room only what is stored somewhere", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const limit = 20_000;
        const lost: KeptWrite[] = [];
        const buffer = new CommitBuffer(limit, 3, {
          stored: () => undefined,
          givenUp: (_, __, write, reason: GivenUpReason) => {
            if (reason === "full") expect(isStored(write)).toBe(true);
          },
          lost: (_, write) => lost.push(write),
        });
        const shards = [0, 1, 2].map(() => buffer.open(2));
        let number = 0;
        let triedInVain = 0;
        for (const each of steps) {
          if (each.do === "keep") {
            const kept = shards[each.shard];
            if (kept?.makeRoom(each.bytes) !== true) continue;
            number += 1;
            const body = Buffer.alloc(each.bytes);
            kept.settle(kept.add({ number, timestamp: number, body, samples: 1 }), each.taken, 0);
          } else {
            const all = shards.flatMap((kept) => [...kept.writes].map((write) => ({ kept, write })));
            const chosen = all[each.pick % Math.max(1, all.length)];
            if (chosen === undefined) continue;
            if (each.do === "stored") chosen.kept.stored(chosen.write, each.replica);
            else {
              chosen.kept.giveUp(chosen.write, each.replica, "tries");
              if (chosen.write.copies.every(({ state }) => state === "given-up")) triedInVain += 1;
            }
          }
          const writes = shards.flatMap((kept) => [...kept.writes]);
          const costs = writes.map(({ cost }) => cost);
          expect(buffer.bytes).toBe(costs.reduce((sum, cost) => sum + cost, 0));
          expect(buffer.bytes).toBeLessThanOrEqual(limit);
          for (const kept of shards) {
            const unstored = [...kept.writes].filter((write) => !isStored(write));
            expect(kept.unstoredBytes).toBe(unstored.reduce((sum, { cost }) => sum + cost, 0));
          }
          expect(lost).toHaveLength(new Set(lost).size);
        }
        expect(lost.every((write) => write.copies.every(({ state }) => state === "given-up"))).toBe(true);
        expect(lost.length).toBeLessThanOrEqual(triedInVain);
      }),
      { numRuns: cases(200) },
    );
  });
});
