/** Pods of the stack under test, as far as faults need them. */
import { z } from "zod";
import { hubName, type ReplicaLetter } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { until } from "../kit/wait";

const podSchema = z.object({
  metadata: z.object({ name: z.string(), uid: z.string(), deletionTimestamp: z.string().optional() }),
  status: z.object({
    podIP: z.string().optional(),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    containerStatuses: z
      .array(z.object({ name: z.string(), restartCount: z.number(), containerID: z.string().optional() }))
      .default([]),
  }),
});
const listSchema = z.object({ items: z.array(podSchema) });

/** A pod that is not on its way out. */
export type Pod = z.infer<typeof podSchema>;

/** A part of a shard's replica, or all exporters. */
export type Part =
  | { readonly component: "hub" | "prometheus"; readonly shard: number; readonly replica: ReplicaLetter }
  | { readonly component: "exporter" };

/** `app.kubernetes.io/name=hub,scaled-prometheus/shard=0,...` */
export function selectorOf(part: Part): string {
  const labels = [`app.kubernetes.io/name=${part.component}`];
  if (part.component !== "exporter") {
    labels.push(`scaled-prometheus/shard=${String(part.shard)}`, `scaled-prometheus/replica=${part.replica}`);
  }
  return labels.join(",");
}

/** The part's pods by name. */
export async function podsOf(namespace: string, part: Part): Promise<readonly Pod[]> {
  const text = await kubectl({ namespace }, ["get", "pods", "--selector", selectorOf(part), "--output", "json"]);
  return listSchema
    .parse(JSON.parse(text))
    .items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
}

/** Whether every container of a pod is ready. */
export function isReady({ status }: Pod): boolean {
  return status.conditions.some((condition) => condition.type === "Ready" && condition.status === "True");
}

/** Waits until a part has `count` pods and all are ready. */
export async function readyPods(namespace: string, part: Part, count: number): Promise<readonly Pod[]> {
  return until(`${String(count)} ready pods of ${selectorOf(part)}`, { seconds: 120 }, async () => {
    const pods = await podsOf(namespace, part);
    return pods.length === count && pods.every(isReady) && pods;
  });
}

/** Sets the replicas of a hub's Deployment. */
export async function scaleHub(namespace: string, shard: number, replica: ReplicaLetter, count: 0 | 1): Promise<void> {
  const name = `deployment/${hubName(shard, replica)}`;
  await kubectl({ namespace }, ["scale", name, `--replicas=${String(count)}`]);
}
