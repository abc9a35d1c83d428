/** Faults of hubs. Each begins and ends its fault while the feed runs. */
import { hubName, type ReplicaLetter } from "../../../model/names";
import { choose } from "../kit/form";
import { until } from "../kit/wait";
import { risen } from "./exposition";
import { cut, hang, killPod } from "./faults";
import { podsOf, readyPods, scaleHub, type Pod } from "./pods";
import { stack, type World } from "./world";

const letters = ["a", "b"] as const;

/** The running pod of a hub. */
export async function hubPod(shard: number, replica: ReplicaLetter): Promise<Pod> {
  const [pod] = await readyPods(stack, { component: "hub", shard, replica }, 1);
  if (pod === undefined) throw new Error(`no pod of ${hubName(shard, replica)}`);
  return pod;
}

/**
 * One hub is killed and stays away for a round; in the long form, once it is back, the other replica's. Each time the other
 * has everything.
 */
export async function hubKilled(world: World): Promise<void> {
  for (const replica of choose<readonly ReplicaLetter[]>({ short: ["b"], long: letters })) {
    const back = world.ending(() => scaleHub(stack, 0, replica, 1));
    const pod = await hubPod(0, replica);
    // First the number: a quick kubelet has another hub there before the next push.
    await scaleHub(stack, 0, replica, 0);
    await killPod(stack, pod, "hub");
    await world.feed.nextRound();
    await back();
    await hubPod(0, replica);
    await world.feed.nextRound();
    await world.feed.nextRound();
  }
}

/** Both hubs of a shard are killed with what they hold and stay away for some rounds. */
export async function hubsKilled(world: World): Promise<void> {
  const pods = await Promise.all(letters.map((replica) => hubPod(1, replica)));
  const back = world.ending(async () => {
    for (const replica of letters) await scaleHub(stack, 1, replica, 1);
  });
  // First the number, so that nobody starts them again; then the kill, before any drain.
  await Promise.all(letters.map((replica) => scaleHub(stack, 1, replica, 0)));
  await Promise.all(pods.map((pod) => killPod(stack, pod, "hub")));
  await world.feed.nextRound();
  await world.feed.nextRound();
  await back();
  await Promise.all(letters.map((replica) => hubPod(1, replica)));
  await world.feed.nextRound();
  await world.feed.nextRound();
}

/** A hub takes connections and answers nothing for a while, and then goes on with what it was sent. */
export async function hubHung(world: World): Promise<void> {
  const resume = world.ending(hang(await hubPod(0, "a"), "hub"));
  await world.feed.nextRound();
  await world.last(10);
  await resume();
  await world.feed.nextRound();
  await world.feed.nextRound();
}

/** The same for both hubs of a shard: pushes time out on both, go elsewhere, and are then taken by both after all. */
export async function hubsHung(world: World): Promise<void> {
  const pods = await Promise.all(letters.map((replica) => hubPod(1, replica)));
  const resumes = pods.map((pod) => world.ending(hang(pod, "hub")));
  await world.feed.nextRound();
  await world.last(15);
  await Promise.all(resumes.map((resume) => resume()));
  await world.feed.nextRound();
  await world.feed.nextRound();
}

/** Nobody scrapes a hub until it answers 406; then the other of its shard, too, so that there is a failover. */
export async function hubFull(world: World): Promise<void> {
  const before = await world.readings();
  const heals: (() => Promise<void>)[] = [];
  for (const replica of letters) {
    const hub = await hubPod(0, replica);
    const [prometheus] = await podsOf(stack, { component: "prometheus", shard: 0, replica });
    const address = hub.status.podIP;
    if (prometheus === undefined || address === undefined) throw new Error(`no ${hubName(0, replica)} with an address`);
    heals.push(world.ending(await cut(prometheus, "prometheus", address)));
    // Labels stand in the order in which they were given.
    const full = new RegExp(`^exporter_hub_failures_total(?=.*reason="full").*target_replica="${replica}"`);
    await until(`a full ${hubName(0, replica)}`, { seconds: 120, everyMilliseconds: 1_000 }, async () => {
      return risen(before, await world.readings(), full) > 0;
    });
  }
  await world.feed.nextRound();
  for (const heal of heals) await heal();
  await world.feed.nextRound();
  await world.feed.nextRound();
}
