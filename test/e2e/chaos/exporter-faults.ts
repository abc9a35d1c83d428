/** Faults of exporters, and between exporters and hubs. */
import { hubName, type ReplicaLetter } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { keyOfShard } from "../kit/pipeline";
import { until } from "../kit/wait";
import { cut, hang, killContainer, killPod, type Heal } from "./faults";
import { readyPods, type Pod } from "./pods";
import { exporterCount, serviceAddress, shardCount, stack, type World } from "./world";

const letters = ["a", "b"] as const;

/** The running pods of all exporters. */
export function exporters(): Promise<readonly Pod[]> {
  return readyPods(stack, { component: "exporter" }, exporterCount);
}

async function firstExporter(): Promise<Pod> {
  const [pod] = await exporters();
  if (pod === undefined) throw new Error("no exporter");
  return pod;
}

/** Other pods than before, ready. */
async function replaced(before: readonly Pod[]): Promise<void> {
  const uids = new Set(before.map(({ metadata }) => metadata.uid));
  await until("other exporters", { seconds: 120 }, async () => {
    return (await exporters()).every(({ metadata }) => !uids.has(metadata.uid));
  });
}

/** A rolling restart of all, and then a kill of all at once. */
export async function exportersRestarted(world: World): Promise<void> {
  const before = await exporters();
  await kubectl({ namespace: stack }, ["rollout", "restart", "deployment/exporter"]);
  await kubectl({ namespace: stack }, ["rollout", "status", "deployment/exporter", "--timeout=120s"]);
  await replaced(before);
  await world.feed.nextRound();
  const restarted = await exporters();
  await Promise.all(restarted.map((pod) => killPod(stack, pod, "exporter")));
  await replaced(restarted);
  await world.feed.nextRound();
  await world.feed.nextRound();
}

/** Each exporter in turn, while pushes are in its hands; the kubelet starts it again in its pod. */
export async function exporterKilled(world: World): Promise<void> {
  for (const pod of await exporters()) {
    await world.feed.pushing();
    killContainer(pod, "exporter");
    await world.feed.nextRound();
    await exporters();
  }
  await world.feed.nextRound();
}

async function cutOff(world: World, pod: Pod, shard: number, replicas: readonly ReplicaLetter[]): Promise<Heal> {
  const heals: Heal[] = [];
  for (const replica of replicas) {
    const address = await serviceAddress(hubName(shard, replica));
    heals.push(world.ending(await cut(pod, "exporter", address)));
  }
  return async () => {
    for (const heal of heals) await heal();
  };
}

/** One exporter does not reach one hub; the other exporter, and the shard's other hub, are well. */
export async function exporterCutOff(world: World): Promise<void> {
  const heal = await cutOff(world, await firstExporter(), 0, ["a"]);
  await world.feed.nextRound();
  await world.last(20);
  await heal();
  await world.feed.nextRound();
  await world.feed.nextRound();
}

/**
 * One exporter holds a shard for dead for two minutes, the other could reach it; the same gateways push to either. Once the
 * placement has the report of the first, both pass over the shard, until the first is back.
 */
export async function exportersDisagree(world: World): Promise<void> {
  const heal = await cutOff(world, await firstExporter(), 0, letters);
  await world.last(120);
  await world.feed.nextRound();
  await heal();
  await world.feed.nextRound();
  await world.feed.nextRound();
}

/**
 * Every hub hangs until clients get 503. Then all go on, and take what they were sent before; but shard 1 can't be
 * reached any more, so that what clients send again goes to shard 0.
 */
export async function retryAfter503(world: World): Promise<void> {
  const pods = await exporters();
  const hubs: Pod[] = [];
  for (let shard = 0; shard < shardCount; shard++) {
    for (const replica of letters) hubs.push(...(await readyPods(stack, { component: "hub", shard, replica }, 1)));
  }
  const resumes = hubs.map((pod) => world.ending(hang(pod, "hub")));
  await world.throughPipeline(async (pipeline) => {
    const line = `chaos_probe{gatewayID="${keyOfShard(1, shardCount, "chaos")}"} 1`;
    await until("a push that is answered with 503", { seconds: 60 }, async () => {
      return (await pipeline.push(`${line} ${String(Date.now())}\n`)).status === 503;
    });
  });
  const heals = await Promise.all(pods.map((pod) => cutOff(world, pod, 1, letters)));
  await Promise.all(resumes.map((resume) => resume()));
  await world.feed.nextRound();
  await world.last(10);
  for (const heal of heals) await heal();
  await world.feed.nextRound();
  await world.feed.nextRound();
}
