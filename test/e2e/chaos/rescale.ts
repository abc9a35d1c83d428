/** 2 -> 3 -> 2 -> 4 shards under the feed. */
import type { World } from "./world";

/** Each step waits for whole rounds, so that keys move and are pushed where they now belong. */
export async function rescaled(world: World): Promise<void> {
  const steps = [
    { serversCount: 3 },
    // Shard 2 keeps what it has and gets nothing new.
    { serversCount: 2, retiredShards: [2] },
    { serversCount: 4 },
  ];
  for (const step of steps) {
    await world.deploy(step);
    await world.feed.nextRound();
    await world.feed.nextRound();
  }
}
