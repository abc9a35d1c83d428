/** A running deployment: what its stack outputs say, and tunnels to its Services. */

import { z } from "zod";
import { NAMES, PORTS } from "../model/names";
import { STORAGE_PHASES } from "../model/storage-phase";
import type { KubectlTarget } from "./kubectl";
import { PortForward } from "./port-forward";
import { PulumiStack } from "./pulumi";
import { readStackConfig } from "./stack-config";
import { UserError } from "./terminal";

const outputsSchema = z.object({
  namespace: z.string(),
  queryUrl: z.string(),
  pushUrl: z.string(),
  alertmanagerUrl: z.string(),
  ring: z.string(),
  storagePhase: z.enum(STORAGE_PHASES).nullish(),
  shards: z.array(
    z.object({
      index: z.number().int(),
      name: z.string(),
      retired: z.boolean(),
      replicas: z.array(
        z.object({ name: z.string(), statefulSet: z.string(), claim: z.string(), hub: z.string().nullish() }),
      ),
    }),
  ),
  portForward: z.object({ query: z.string(), push: z.string(), alertmanager: z.string() }),
});

/** Outputs of a deployed stack. */
export type Outputs = z.infer<typeof outputsSchema>;

/** Reads outputs; undefined when the stack has none (never deployed, or taken down). */
export function parseOutputs(json: unknown): Outputs | undefined {
  if (typeof json === "object" && json !== null && Object.keys(json).length === 0) return undefined;
  const parsed = outputsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UserError(
    `the stack's outputs are not what this version writes:\n${z.prettifyError(parsed.error)}`,
    "was it deployed by another version, or interrupted? run make up again",
  );
}

/** A deployed stack and how to reach its cluster. */
export interface Deployment {
  readonly stack: string;
  readonly outputs: Outputs;
  /** The stack's cluster and namespace. */
  readonly target: KubectlTarget;
}

/** The cluster of a stack's config, without namespace. */
export function clusterOf(stack: string): KubectlTarget {
  return readStackConfig(stack).cluster ?? {};
}

/** Finds what is deployed, or says that nothing is. */
export async function findDeployment(stack: string): Promise<Deployment> {
  const pulumi = await PulumiStack.open(stack, { create: false });
  const outputs = pulumi === undefined ? undefined : parseOutputs(await pulumi.outputs());
  if (outputs === undefined) throw new UserError(`stack ${stack} is not deployed`, `make up STACK=${stack}`);
  return { stack, outputs, target: { ...clusterOf(stack), namespace: outputs.namespace } };
}

/** Opens a tunnel to Service `query`, gives its address to `work`, and closes it afterwards. */
export function withQuery<T>(deployment: Deployment, work: (url: string) => Promise<T>): Promise<T> {
  return withForward(deployment, NAMES.query, PORTS.query, work);
}

/** The same for Service `exporter`, to which pushes go. */
export function withPush<T>(deployment: Deployment, work: (url: string) => Promise<T>): Promise<T> {
  if (deployment.outputs.pushUrl.startsWith("https:")) {
    throw new UserError(
      `stack ${deployment.stack} has TLS on its push ports (push.tls), which the test feed does not speak`,
      "push with a client of your own, and run make up with ARGS=--no-feed",
    );
  }
  return withForward(deployment, NAMES.exporter, PORTS.push, work);
}

async function withForward<T>(
  deployment: Deployment,
  service: string,
  remotePort: number,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const forward = await PortForward.open({ target: deployment.target, resource: `svc/${service}`, remotePort });
  try {
    return await work(forward.url);
  } finally {
    await forward.close();
  }
}
