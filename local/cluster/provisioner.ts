/**
 * Background process of the local cluster: gives every claim of the `local` storage class a folder as its volume, and
 * removes the folder when the claim is deleted.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { callApi, watchApi } from "./api-client";
import { clusterFiles, settings } from "./settings";

const claimSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({
    storageClassName: z.string().optional(),
    accessModes: z.array(z.string()).default(["ReadWriteOnce"]),
    resources: z.object({ requests: z.object({ storage: z.string() }) }),
  }),
  status: z.object({ phase: z.string().optional() }).default({}),
});

const volumeSchema = z.object({
  metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()).default({}) }),
  status: z.object({ phase: z.string().optional() }).default({}),
});

const provisionedBy = "pv.kubernetes.io/provisioned-by";

function folderOf(volume: string): string {
  return join(clusterFiles().volumes, volume);
}

async function provision(object: unknown): Promise<void> {
  const parsed = claimSchema.safeParse(object);
  if (!parsed.success) return;
  const claim = parsed.data;
  const chosen = claim.metadata.annotations["volume.kubernetes.io/selected-node"] === settings.nodeName;
  if (claim.status.phase !== "Pending" || claim.spec.storageClassName !== settings.storageClass || !chosen) return;
  const name = `pvc-${claim.metadata.uid}`;
  mkdirSync(folderOf(name), { recursive: true, mode: 0o777 });
  await callApi("POST", "/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, annotations: { [provisionedBy]: settings.provisioner } },
    spec: {
      capacity: { storage: claim.spec.resources.requests.storage },
      accessModes: claim.spec.accessModes,
      storageClassName: settings.storageClass,
      persistentVolumeReclaimPolicy: "Delete",
      local: { path: folderOf(name) },
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace: claim.metadata.namespace,
        name: claim.metadata.name,
        uid: claim.metadata.uid,
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [settings.nodeName] }] },
          ],
        },
      },
    },
  });
}

async function reclaim(object: unknown): Promise<void> {
  const parsed = volumeSchema.safeParse(object);
  if (!parsed.success) return;
  const { metadata, status } = parsed.data;
  const ours = metadata.annotations[provisionedBy] === settings.provisioner;
  // Without a deleter of its own in the controller manager a local volume ends in "Failed" rather than "Released".
  if (!ours || (status.phase !== "Released" && status.phase !== "Failed")) return;
  rmSync(folderOf(metadata.name), { recursive: true, force: true });
  await callApi("DELETE", `/api/v1/persistentvolumes/${metadata.name}`);
}

async function follow(path: string, handle: (object: unknown) => Promise<void>): Promise<never> {
  for (;;) {
    await watchApi(path, (type, object) => {
      if (type === "ADDED" || type === "MODIFIED") void handle(object);
    });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

void follow("/api/v1/persistentvolumeclaims", provision);
void follow("/api/v1/persistentvolumes", reclaim);
