import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { selectorLabels, type Part } from "../../../components/kit/labels";
import { hubName, prometheusName, type ReplicaLetter } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { until } from "../kit/wait";
import { stack } from "./world";

const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        creationTimestamp: z.string(),
        deletionTimestamp: z.string().optional(),
      }),
      status: z.object({
        conditions: z
          .array(z.object({ type: z.string(), status: z.string(), lastTransitionTime: z.string() }))
          .default([]),
        containerStatuses: z.array(z.object({ restartCount: z.number() })).default([]),
      }),
    }),
  ),
});

/** A pod as tests look at it. */
export interface PodTimes {
  readonly uid: string;
  readonly name: string;
  readonly created: number;
  /** When it became ready; undefined while it is not. */
  readonly ready: number | undefined;
  /** Restarts of its containers. */
  readonly restarts: number;
}

/** The pods of a part that are not on their way out. */
export async function podsOf(part: Part): Promise<readonly PodTimes[]> {
  const labels = Object.entries(selectorLabels(part)).map(([name, value]) => `${name}=${value}`);
  const text = await kubectl({ namespace: stack }, ["get", "pods", "--selector", labels.join(), "--output", "json"]);
  const pods = podsSchema
    .parse(JSON.parse(text))
    .items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return pods.map(({ metadata, status }) => {
    const ready = status.conditions.find((each) => each.type === "Ready" && each.status === "True");
    return {
      uid: metadata.uid,
      name: metadata.name,
      created: Date.parse(metadata.creationTimestamp),
      ready: ready === undefined ? undefined : Date.parse(ready.lastTransitionTime),
      restarts: status.containerStatuses.reduce((total, { restartCount }) => total + restartCount, 0),
    };
  });
}

/** The one pod of a part of a replica. */
export async function podOf(component: "prometheus" | "hub", shard: number, replica: ReplicaLetter): Promise<PodTimes> {
  const part = { component, shard, replica } as const;
  const pods = await podsOf(part);
  const [pod] = pods;
  if (pod === undefined || pods.length > 1) throw new Error(`${String(pods.length)} pods of ${JSON.stringify(part)}`);
  return pod;
}

/** Takes a pod away without a graceful end. */
async function deleteAtOnce({ name }: PodTimes): Promise<void> {
  await kubectl({ namespace: stack }, ["delete", "pod", name, "--grace-period=0", "--force", "--wait=false"]);
}

/**
 * Kills a hub with all that it holds, and waits until there is another.
 * @param isForGood The exporters are killed with it: nobody is left who could send it again what it held.
 */
export async function killHub(shard: number, replica: ReplicaLetter, isForGood = false): Promise<void> {
  const before = await podOf("hub", shard, replica);
  const exporters = isForGood ? await podsOf({ component: "exporter" }) : [];
  await Promise.all([before, ...exporters].map(deleteAtOnce));
  await until(`another ${hubName(shard, replica)}`, { seconds: 90 }, async () => {
    const after = await podOf("hub", shard, replica);
    return after.uid !== before.uid && after.ready !== undefined;
  });
}

/** Processes of a program in a pod, where the cluster's processes are this machine's; none elsewhere. */
function processesOf(program: string, { uid }: PodTimes): readonly number[] {
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      // It has ended meanwhile, or there is no such file system here.
      return "";
    }
  };
  let names: readonly string[] = [];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    // Not Linux.
  }
  return names
    .filter((pid) => read(`/proc/${pid}/comm`).trim() === program)
    .filter((pid) => read(`/proc/${pid}/mountinfo`).includes(`/pods/${uid}/`))
    .map(Number);
}

/**
 * `kill -9` of a replica's Prometheus where its process can be reached from here; else its pod is taken away without a
 * graceful end. Waits until it is ready again and tells which it was.
 */
export async function killPrometheus(shard: number, replica: ReplicaLetter): Promise<"kill -9" | "forced deletion"> {
  const before = await podOf("prometheus", shard, replica);
  const pids = processesOf("prometheus", before);
  for (const pid of pids) process.kill(pid, "SIGKILL");
  if (pids.length === 0) await deleteAtOnce(before);
  await until(`${prometheusName(shard, replica)} after its end`, { seconds: 240 }, async () => {
    const after = await podOf("prometheus", shard, replica);
    return (after.uid !== before.uid || after.restarts > before.restarts) && after.ready !== undefined;
  });
  return pids.length === 0 ? "forced deletion" : "kill -9";
}

/**
 * Sets the number of pods of workloads and waits until there are as many, ready, and no others: with no pod ready, a
 * Service sends what it gets to those that are on their way out.
 */
export async function scale(
  kind: "StatefulSet" | "Deployment",
  names: readonly string[],
  replicas: number,
): Promise<void> {
  for (const name of names) {
    await kubectl({ namespace: stack }, ["scale", `${kind}/${name}`, `--replicas=${String(replicas)}`]);
  }
  for (const name of names) {
    await until(`${String(replicas)} pods of ${name}`, { seconds: 240 }, async () => {
      const path = "jsonpath={.status.replicas}/{.status.readyReplicas}";
      const text = await kubectl({ namespace: stack }, ["get", `${kind}/${name}`, "--output", path]);
      const [all = "", ready = ""] = text.split("/");
      const pods = await kubectl({ namespace: stack }, ["get", "pods", "--output", "name"]);
      const present = pods.split("\n").filter((pod) => pod.startsWith(`pod/${name}-`)).length;
      return Number(all) === replicas && Number(ready) === replicas && present === replicas;
    });
  }
}
