import type { types } from "@pulumi/kubernetes";

type Metadata = types.input.meta.v1.ObjectMeta;

/**
 * Metadata of an object that is complete as soon as the API server has it (Service, ConfigMap, ServiceAccount): the
 * provider doesn't wait for it. It would ask a Service's endpoints every 10 s, although the workload behind it has been
 * waited for already, and provider 4.18 can miss the deletion of an object that goes at once and then wait 10 minutes.
 */
export function withoutWaiting(metadata: Metadata): Metadata {
  return { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } };
}
