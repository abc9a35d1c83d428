import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { RESTRICTED_NAMESPACE } from "../../../components/kit/security";
import { kubectl } from "../../../tools/kubectl";
import { until } from "./wait";

/** Kinds that the program makes, and the pods and claims that come of them. */
const kinds = "statefulsets,deployments,services,configmaps,serviceaccounts,persistentvolumeclaims,pods" as const;

const containerSchema = z.object({ name: z.string(), image: z.string().default("") });
const objectSchema = z.object({
  kind: z.string(),
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.number().optional(),
    deletionTimestamp: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    ownerReferences: z.array(z.object({ kind: z.string() })).default([]),
  }),
  spec: z.looseObject({ containers: z.array(containerSchema).default([]) }).default({ containers: [] }),
  status: z
    .looseObject({
      phase: z.string().optional(),
      podIP: z.string().optional(),
      containerStatuses: z.array(z.object({ name: z.string(), restartCount: z.number() })).default([]),
    })
    .default({ containerStatuses: [] }),
});
const listSchema = z.object({ items: z.array(objectSchema) });

/** A Kubernetes object, as far as tests look at it. */
export type KubernetesObject = z.infer<typeof objectSchema>;

/** Makes a namespace as a platform team would, for a stack with `namespace.create: false`; `scratch` is a folder. */
export async function restrictedNamespace(namespace: string, scratch: string): Promise<void> {
  const manifest = join(scratch, "namespace.json");
  const metadata = { name: namespace, labels: RESTRICTED_NAMESPACE };
  writeFileSync(manifest, JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata }));
  await kubectl({}, ["apply", "--filename", manifest]);
}

/** Everything in a namespace that the program, or a workload of it, has made. */
export async function objectsOf(namespace: string): Promise<readonly KubernetesObject[]> {
  const text = await kubectl({ namespace }, ["get", kinds, "--output", "json"]);
  return listSchema.parse(JSON.parse(text)).items.filter(({ metadata }) => metadata.name !== "kube-root-ca.crt");
}

/** `StatefulSet/prometheus-shard-0-a` */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}

/**
 * Identity and version of every object that is not on its way out: equal when nobody has changed, replaced, restarted or
 * removed anything. Status
 * changes of workloads and claims don't count; a Service's or ConfigMap's version is its resourceVersion.
 */
export function fingerprint(objects: readonly KubernetesObject[]): Readonly<Record<string, string>> {
  const staying = objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const lines = staying.map((object) => {
    const { uid, generation, resourceVersion } = object.metadata;
    const restarts = object.status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
    const isVersioned = ["Service", "ConfigMap"].includes(object.kind);
    const version = isVersioned ? resourceVersion : String(generation ?? "");
    return [nameOf(object), `${uid} ${version} ${String(restarts)} restarts`] as const;
  });
  return Object.fromEntries(lines.sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Container restarts in a namespace, by pod and container; only those above 0. */
export async function restartsIn(namespace: string): Promise<readonly string[]> {
  const pods = (await objectsOf(namespace)).filter(({ kind }) => kind === "Pod");
  return pods.flatMap(({ metadata, status }) =>
    status.containerStatuses
      .filter(({ restartCount }) => restartCount > 0)
      .map(({ name, restartCount }) => `${metadata.name}/${name}: ${String(restartCount)}`),
  );
}

/** Names of those namespaces that exist. */
export async function existingNamespaces(names: readonly string[]): Promise<readonly string[]> {
  const text = await kubectl({}, ["get", "namespaces", "--output", "name"]);
  const existing = new Set(text.split("\n").map((line) => line.replace(/^namespace\//, "").trim()));
  return names.filter((name) => existing.has(name));
}

/** Deletes namespaces with all that is in them, claims included, without waiting for graceful ends. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const namespace of await existingNamespaces(names)) {
    await kubectl({}, ["delete", "namespace", namespace, "--wait=false"]);
    await kubectl({ namespace }, ["delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false"]);
  }
  await until(`the end of namespaces ${names.join(", ")}`, { seconds: 180, everyMilliseconds: 500 }, async () => {
    const left = await existingNamespaces(names);
    // Pods that a controller made while the namespace began to go.
    for (const namespace of left) {
      await kubectl({ namespace }, ["delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false"]).catch(
        () => undefined,
      );
    }
    return left.length === 0;
  });
}
