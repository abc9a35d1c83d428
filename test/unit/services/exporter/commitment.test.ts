import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommitWorld, INTERVAL } from "./commit-world";

let world: CommitWorld;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
});
afterEach(() => {
  world.stop();
  vi.useRealTimers();
});

describe("a write that is acknowledged", () => {
  it("is kept until both replicas have stored it, and sent once", async () => {
    world = new CommitWorld(1, 2);
    expect(await world.push(["g1", "g2"])).toBe(true);
    expect(world.metric("exporter_buffer_writes")).toBe(1);
    expect(world.metric("exporter_uncommitted_samples")).toBe(2);
    await world.pass(2 * INTERVAL);
    expect(world.nowhere()).toStrictEqual([]);
    expect(world.commitment.buffer.bytes).toBe(0);
    for (const replica of ["a", "b"]) {
      expect(world.metric("exporter_committed_samples_total", `target_replica="${replica}"`)).toBe(2);
    }
    expect(world.metric("exporter_resent_writes_total")).toBe(0);
    expect(Math.max(...world.replica(0, 0).taken.values())).toBe(1);
  });

  it("is sent again, just as it was, when both hubs were killed before their scrape", async () => {
    world = new CommitWorld(1, 2);
    await world.push(["g1"]);
    const before = [...world.replica(0, 0).taken.keys()];
    world.replica(0, 0).killHub();
    world.replica(0, 1).killHub();
    await world.pass(2 * INTERVAL - 5);
    expect(world.metric("exporter_oldest_uncommitted_seconds")).toBeGreaterThanOrEqual(2 * INTERVAL - 5);
    expect(world.nowhere()).toHaveLength(1);
    await world.pass(2 * INTERVAL + 10);
    expect(world.nowhere()).toStrictEqual([]);
    expect([...world.replica(0, 0).taken.keys()]).toStrictEqual(before);
    expect(world.replica(0, 0).stored).toStrictEqual(world.replica(0, 1).stored);
    expect(world.metric("exporter_resent_samples_total", 'reason="vanished"')).toBe(2);
    expect(world.metric("exporter_oldest_uncommitted_seconds")).toBe(0);
    expect(world.metric("exporter_lost_samples_total")).toBe(0);
  });

  it("is sent again with a single replica too", async () => {
    world = new CommitWorld(1, 1);
    await world.push(["g1"]);
    world.replica(0, 0).killHub();
    await world.pass(4 * INTERVAL);
    expect(world.nowhere()).toStrictEqual([]);
    expect(world.commitment.buffer.bytes).toBe(0);
  });

  it("goes to a replica that was down as soon as it is back", async () => {
    world = new CommitWorld(1, 2);
    const b = world.replica(0, 1);
    b.isHubUp = false;
    for (let at = 0; at < 20; at += 1) {
      expect(await world.push(["g1"])).toBe(true);
      await world.pass(INTERVAL);
    }
    expect(b.stored.size).toBe(0);
    expect(world.metric("exporter_replica_behind_seconds", 'target_replica="b"')).toBeGreaterThan(250);
    expect(world.metric("exporter_oldest_uncommitted_seconds")).toBeLessThanOrEqual(INTERVAL);
    b.isHubUp = true;
    await world.pass(60);
    expect(b.stored).toStrictEqual(world.replica(0, 0).stored);
    expect(world.metric("exporter_resent_writes_total", 'reason="missed"')).toBe(20);
    expect(world.commitment.buffer.bytes).toBe(0);
  });

  it("is not sent again while its Prometheus is away and its hub holds it", async () => {
    world = new CommitWorld(1, 2);
    const b = world.replica(0, 1);
    b.isPrometheusUp = false;
    await world.push(["g1"]);
    await world.pass(20 * INTERVAL);
    expect(world.metric("exporter_commit_check_failures_total", 'target_replica="b"')).toBeGreaterThan(0);
    expect(world.metric("exporter_resent_writes_total")).toBe(0);
    b.isPrometheusUp = true;
    await world.pass(2 * INTERVAL);
    expect(b.stored).toStrictEqual(world.replica(0, 0).stored);
    expect(world.metric("exporter_resent_writes_total")).toBe(0);
  });

  it("is sent again ever more seldom to a hub that takes it and is never scraped, and given up when it is too old", async () => {
    world = new CommitWorld(1, 1);
    const a = world.replica(0, 0);
    a.isScraped = false;
    await world.push(["g1"]);
    await world.pass(1900);
    // After 30, 60, 120, 240, 480 s; a sixth time would be later than what Prometheus takes.
    expect(world.metric("exporter_resent_writes_total", 'reason="vanished"')).toBe(5);
    expect(world.metric("exporter_given_up_writes_total", 'reason="old"')).toBe(1);
    expect(world.metric("exporter_lost_samples_total", 'target_shard="shard-0"')).toBe(1);
    expect(world.commitment.buffer.bytes).toBe(0);
  });

  it("is not sent again to a hub that refuses it as bad", async () => {
    world = new CommitWorld(1, 2);
    world.replica(0, 1).isPicky = true;
    await world.push(["g1"]);
    await world.pass(60);
    expect(world.metric("exporter_given_up_writes_total", 'reason="refused"')).toBe(1);
    expect(world.metric("exporter_lost_samples_total")).toBe(0);
    expect(world.commitment.buffer.bytes).toBe(0);
  });

  it("is forgotten when no hub took it: then it was not acknowledged", async () => {
    world = new CommitWorld(1, 2);
    world.replica(0, 0).isHubUp = false;
    world.replica(0, 1).isHubUp = false;
    expect(await world.push(["g1"])).toBe(false);
    expect(world.commitment.buffer.bytes).toBe(0);
  });
});

describe("a full buffer", () => {
  const small = { bufferBytes: 32 * 1024 };

  it("lets go first of what one replica has stored, and takes every push", async () => {
    world = new CommitWorld(1, 2, small);
    const b = world.replica(0, 1);
    b.isHubUp = false;
    for (let at = 0; at < 20; at += 1) {
      expect(await world.push(["g1"], 3000)).toBe(true);
      await world.pass(INTERVAL);
      expect(world.commitment.buffer.bytes).toBeLessThanOrEqual(small.bufferBytes);
    }
    const givenUp = world.metric("exporter_given_up_writes_total", 'reason="full"');
    expect(givenUp).toBeGreaterThan(10);
    expect(world.metric("exporter_lost_samples_total")).toBe(0);
    b.isHubUp = true;
    await world.pass(300);
    // The newest ones were still there for b.
    expect([...world.acknowledged].filter((sample) => b.has(sample))).toStrictEqual(
      [...world.acknowledged].slice(givenUp),
    );
  });

  it("makes the only shard refuse pushes rather than forget what nobody has, and takes them again afterwards", async () => {
    world = new CommitWorld(1, 1, small);
    world.replica(0, 0).isPrometheusUp = false;
    let taken = 0;
    while (await world.push(["g1"], 3000)) {
      taken += 1;
      await world.pass(1);
    }
    expect(taken).toBe(7);
    expect(world.metric("exporter_buffer_refused_samples_total")).toBe(1);
    expect(world.commitment.buffer.bytes).toBeLessThanOrEqual(small.bufferBytes);
    world.replica(0, 0).isPrometheusUp = true;
    await world.pass(2 * INTERVAL);
    expect(world.nowhere()).toStrictEqual([]);
    expect(await world.push(["g1"], 3000)).toBe(true);
  });

  it("leaves the other shards room when one has stored nothing for four intervals: its samples go to the next", async () => {
    world = new CommitWorld(2, 1, small);
    world.replica(0, 0).isPrometheusUp = false;
    const stuck = ownedBy(0);
    const taken: boolean[] = [];
    for (let at = 0; at < 20; at += 1) {
      taken.push(await world.push([stuck], 3000));
      await world.pass(INTERVAL);
    }
    // Three fill half of the buffer. The fourth might be of a burst; then the oldest has waited for too long.
    expect(taken).toStrictEqual(taken.map((_, at) => at !== 3));
    expect(world.metric("exporter_failover_samples_total", 'target_shard="shard-0"')).toBe(16);
    world.replica(0, 0).isPrometheusUp = true;
    await world.pass(60);
    expect(world.nowhere()).toStrictEqual([]);
  });

  it("puts a burst off until there is room, and moves no key", async () => {
    world = new CommitWorld(2, 2, small);
    const key = ownedBy(0);
    let refused = 0;
    for (let at = 0; at < 30; at += 1) {
      while (!(await world.push([key], 3000))) {
        refused += 1;
        await world.pass(1);
      }
      await world.pass(1);
    }
    expect(refused).toBeGreaterThan(0);
    expect(world.metric("exporter_failover_samples_total")).toBe(0);
    await world.pass(2 * INTERVAL);
    for (const replica of world.replicas[0] ?? []) {
      expect([...world.acknowledged].filter((sample) => !replica.has(sample))).toStrictEqual([]);
    }
  });
});

/** A gateway of that shard. */
function ownedBy(shard: number): string {
  return ["g1", "g2", "g3", "g4", "g5", "g6"].find((gateway) => world.shardOf(gateway) === shard) ?? "";
}

describe("a write that nobody acknowledged, because both hubs hung", () => {
  const hang = async (): Promise<void> => {
    world = new CommitWorld(1, 2);
    for (const at of [0, 1]) world.replica(0, at).isHung = true;
    expect(await world.push(["g1", "g2"])).toBe(false);
  };

  it("is sent to the other replica when one hub takes it after all", async () => {
    await hang();
    await world.pass(20);
    world.replica(0, 0).resume(true);
    world.replica(0, 1).resume(false);
    await world.pass(4 * INTERVAL);
    expect(world.replica(0, 0).stored.size).toBe(3);
    expect(world.replica(0, 1).stored).toStrictEqual(world.replica(0, 0).stored);
    expect(world.commitment.buffer.bytes).toBe(0);
  });

  it("is not sent again when both took it, nor when none did, and counts for nothing", async () => {
    for (const reads of [true, false]) {
      await hang();
      expect(world.metric("exporter_uncommitted_samples")).toBe(0);
      expect(world.commitment.buffer.bytes).toBe(0);
      for (const at of [0, 1]) world.replica(0, at).resume(reads);
      await world.pass(8 * INTERVAL);
      expect(world.replica(0, 0).stored.size).toBe(reads ? 3 : 0);
      expect(world.replica(0, 1).stored).toStrictEqual(world.replica(0, 0).stored);
      expect(world.metric("exporter_resent_writes_total")).toBe(0);
      expect(world.metric("exporter_lost_writes_total")).toBe(0);
      expect(world.commitment.buffer.bytes).toBe(0);
      world.stop();
    }
  });

  it("is looked for ten minutes", async () => {
    await hang();
    await world.pass(700);
    world.replica(0, 0).resume(true);
    world.replica(0, 1).resume(false);
    await world.pass(8 * INTERVAL);
    expect(world.replica(0, 0).stored.size).toBe(3);
    expect(world.replica(0, 1).stored.size).toBe(0);
  });
});
