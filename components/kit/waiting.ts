import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import { PROJECT } from "../../model/names";

type Metadata = types.input.meta.v1.ObjectMeta;

/**
 * Deleted in the background: the object goes at once and its pods end by themselves, with their grace. In the foreground
 * provider 4.18 waits for an event that it sometimes misses, and then for the whole delete timeout (seen several times).
 */
const GONE_AT_ONCE = { "pulumi.com/deletionPropagationPolicy": "background" };

/**
 * Timeouts of a workload. Provider 4.18 can miss that an object is gone and then waits for the whole delete timeout
 * before it looks again (seen: 6 minutes), so that one is as short as the pods' grace allows.
 * @param startMinutes How long the first start or an update may take.
 * @param graceSeconds The pods' termination grace.
 */
export function workloadTimeouts(startMinutes: number, graceSeconds: number): pulumi.CustomTimeouts {
  const start = `${String(startMinutes)}m`;
  return { create: start, update: start, delete: `${String(Math.ceil(graceSeconds / 60) + 2)}m` };
}

/**
 * Metadata of a StatefulSet that an interrupted `pulumi up` may leave half made: with a fixed field manager the next run
 * takes it up again. The provider's own is random, and then claims a conflict over the immutable volume claim templates.
 */
export function takenUpAgain(metadata: Metadata): Metadata {
  return { ...metadata, annotations: { ...GONE_AT_ONCE, "pulumi.com/patchFieldManager": PROJECT } };
}

/** Metadata of a workload whose pods nothing has to wait for when it is deleted; a hub is none: it still drains. */
export function goneAtOnce(metadata: Metadata): Metadata {
  return { ...metadata, annotations: GONE_AT_ONCE };
}

/**
 * Metadata of an object that is complete as soon as the API server has it (Service, ConfigMap, ServiceAccount): the
 * provider doesn't wait for it. It would ask a Service's endpoints every 10 s, although the workload behind it has been
 * waited for already. For the deletion of these kinds it ignores skipAwait (`allowsSkipAwaitWithDelete` in its source), so
 * they are deleted in the background too: gone when the call returns, where a deletion in the foreground is an event that
 * provider 4.18 missed on a loaded machine, and `make down` took 10 minutes.
 * @param annotations More annotations.
 */
export function withoutWaiting(
  metadata: Metadata,
  annotations: Readonly<Record<string, pulumi.Input<string>>> = {},
): Metadata {
  return { ...metadata, annotations: { ...annotations, ...GONE_AT_ONCE, "pulumi.com/skipAwait": "true" } };
}
