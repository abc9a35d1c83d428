/** A step of `objectStorage.phase`, checked against what is deployed and what the running parts say. */

import { z } from "zod";
import { leafName, PORTS, storeName } from "../model/names";
import { phaseProblem, STORAGE_PHASES, type DeployedPhase } from "../model/storage-phase";
import { parseOutputs, type Deployment, type Outputs } from "./deployment";
import type { KubectlTarget } from "./kubectl";
import { PortForward } from "./port-forward";
import type { StackConfig } from "./stack-config";
import { UserError } from "./terminal";

const phaseSchema = z.looseObject({ storagePhase: z.enum(STORAGE_PHASES).nullish() });

/** The phase that stack outputs tell; undefined when nothing is deployed. */
export function deployedPhase(outputs: unknown): DeployedPhase | undefined {
  if (typeof outputs !== "object" || outputs === null || Object.keys(outputs).length === 0) return undefined;
  const parsed = phaseSchema.safeParse(outputs);
  return (parsed.success ? parsed.data.storagePhase : undefined) ?? "off";
}

const endpointSchema = z.object({ name: z.string(), minTime: z.number(), maxTime: z.number() });
const storesSchema = z.object({ data: z.record(z.string(), z.array(endpointSchema)) });

/** What a leaf says of one endpoint; times in milliseconds. */
export type StoreEndpoint = z.infer<typeof endpointSchema>;

/**
 * Which shards have history that local disks are about to forget and that their Store Gateway does not have.
 * @param cut What is older goes; milliseconds since 1970.
 */
export function shardsNotInBucket(
  shards: readonly { readonly name: string; readonly store: string; readonly sidecars: readonly string[] }[],
  endpoints: readonly StoreEndpoint[],
  cut: number,
): readonly string[] {
  const named = (service: string) => endpoints.find(({ name }) => name.startsWith(`${service}.`));
  return shards
    .filter(({ store, sidecars }) => {
      const bucket = named(store);
      return sidecars.some((sidecar) => {
        const local = named(sidecar);
        if (bucket === undefined || local === undefined) return true;
        if (local.minTime > cut) return false;
        return bucket.minTime > local.minTime || bucket.maxTime < cut;
      });
    })
    .map(({ name }) => name);
}

async function text(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!answer.ok)
    throw new UserError(`${url} answered ${String(answer.status)}`, "make status tells which part is not ready");
  return answer.text();
}

async function backlogIsUploaded(target: KubectlTarget, statefulSet: string): Promise<boolean> {
  const resource = `pod/${statefulSet}-0`;
  const forward = await PortForward.open({ target, resource, remotePort: PORTS.thanosHttp });
  try {
    return /^thanos_shipper_upload_compacted_done 1$/m.test(await text(`${forward.url}/metrics`));
  } finally {
    await forward.close();
  }
}

/** Sidecars and Store Gateway behind a leaf; roots know leaves only. */
async function behindLeaf(target: KubectlTarget, leaf: string): Promise<readonly StoreEndpoint[]> {
  const resource = `deployment/${leaf}`;
  const forward = await PortForward.open({ target, resource, remotePort: PORTS.thanosHttp });
  try {
    const answer: unknown = JSON.parse(await text(`${forward.url}/api/v1/stores`));
    return Object.values(storesSchema.parse(answer).data).flat();
  } finally {
    await forward.close();
  }
}

type DeploymentOf = (outputs: Outputs) => Deployment;

/** What the stack's config asks for. */
type Wanted = Pick<StackConfig, "storagePhase" | "localRetention">;

/** Shards whose history is not in the bucket as far as the step needs it. */
async function behind(deployment: Deployment, { storagePhase, localRetention }: Wanted): Promise<readonly string[]> {
  const { outputs, target } = deployment;
  const shards = outputs.shards.filter(({ replicas }) => replicas.length > 0);
  if (storagePhase === "steady") {
    const found: string[] = [];
    for (const { name, replicas } of shards) {
      for (const { statefulSet } of replicas) if (!(await backlogIsUploaded(target, statefulSet))) found.push(name);
    }
    return found;
  }
  const endpoints: StoreEndpoint[] = [];
  for (const { index } of shards) endpoints.push(...(await behindLeaf(target, leafName(index))));
  const named = shards.map(({ index, name, replicas }) => ({
    name,
    store: storeName(index),
    sidecars: replicas.map((replica) => `sidecar-${replica.name}`),
  }));
  return shardsNotInBucket(named, endpoints, Date.now() - localRetention);
}

/**
 * Refuses a step that would lose history: one that skips a phase, or one that comes before every shard has uploaded.
 * @param outputs Of the stack as it is deployed.
 * @throws UserError that says what comes first.
 */
export async function checkStoragePhase(outputs: unknown, wanted: Wanted, deploymentOf: DeploymentOf): Promise<void> {
  const deployed = deployedPhase(outputs);
  const { storagePhase } = wanted;
  const problem = phaseProblem(deployed, storagePhase);
  if (problem !== undefined) throw new UserError(problem, "docs/object-storage.md describes the phases");
  const isNext =
    (deployed === "backlog" && storagePhase === "steady") || (deployed === "steady" && storagePhase === "shrunk");
  const parsed = isNext ? parseOutputs(outputs) : undefined;
  if (parsed === undefined) return;
  const missing = await behind(deploymentOf(parsed), wanted);
  if (missing.length === 0) return;
  throw new UserError(
    `objectStorage.phase can't be ${storagePhase} yet: ${missing.join(", ")} has history that is not in the bucket`,
    "wait until it is uploaded (minutes; a new block every 2 hours), or look at the sidecar's log, and run this again",
  );
}

/**
 * Whether what a step lets local disks forget is in the bucket. On the way from `steady` to `shrunk`
 * {@link checkStoragePhase} has refused the step otherwise; a stack that is in `shrunk` already is asked here.
 * @param outputs Of the stack as it is deployed.
 */
export async function isLocalInBucket(outputs: unknown, wanted: Wanted, deploymentOf: DeploymentOf): Promise<boolean> {
  if (wanted.storagePhase !== "shrunk") return false;
  const deployed = deployedPhase(outputs);
  if (deployed !== "shrunk") return deployed === "steady";
  const parsed = parseOutputs(outputs);
  if (parsed === undefined) return false;
  try {
    return (await behind(deploymentOf(parsed), wanted)).length === 0;
  } catch (error) {
    // Whoever can't be asked may not have it.
    if (error instanceof UserError || error instanceof TypeError) return false;
    throw error;
  }
}
