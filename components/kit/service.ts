import type { types } from "@pulumi/kubernetes";
import type { Labels } from "./labels";

type Spec = types.input.core.v1.ServiceSpec;

/** One port of a Service. */
export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** Name of the container port. */
  readonly target: string;
}

function ports(list: readonly ServicePort[]): types.input.core.v1.ServicePort[] {
  return list.map(({ name, port, target }) => ({ name, port, targetPort: target, protocol: "TCP" }));
}

/** A Service with a cluster IP that reaches ready pods only. */
export function clusterIpSpec(selector: Labels, list: readonly ServicePort[]): Spec {
  return { type: "ClusterIP", selector, ports: ports(list) };
}

/** A headless Service that names every pod, also one that is starting or stopping. */
export function headlessSpec(selector: Labels, list: readonly ServicePort[]): Spec {
  return { type: "ClusterIP", clusterIP: "None", publishNotReadyAddresses: true, selector, ports: ports(list) };
}
