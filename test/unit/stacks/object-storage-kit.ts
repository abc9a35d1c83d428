import type { Recorded, Run } from "./recorder";

/** Values of `objectStorage`, and of the other keys that tests of it need. */
export const S3 = { type: "s3", bucket: "metrics", region: "eu-central-1" } as const;
export const KEYS = { credentials: { accessKey: "AKIDEXAMPLE", secretKey: "not-for-anybody" } } as const;
export const SWIFT = {
  type: "swift",
  authUrl: "http://127.0.0.1:1/v3",
  container: "metrics",
  project: { name: "monitoring" },
  user: { name: "prometheus", password: "not-for-anybody" },
} as const;
export const SHARDED = { createThanos: true, serversCount: 2 } as const;

interface Mount {
  readonly name: string;
  readonly mountPath: string;
}
/** A container, as far as these tests look at it. */
export interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly volumeMounts?: readonly Mount[];
  readonly securityContext: { readonly runAsUser: number };
}
interface Workload {
  readonly replicas: number;
  readonly template: {
    readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
  };
}

/** A recorded resource. */
export function named(recorded: Run, kind: string, name: string): Recorded | undefined {
  return recorded.resources.find((each) => each.type.endsWith(`:${kind}`) && each.name === name);
}

/** Spec of a StatefulSet. */
export function workload(recorded: Run, name: string): Workload {
  const found = named(recorded, "StatefulSet", name);
  if (found === undefined) throw new Error(`no StatefulSet ${name}`);
  return found.inputs["spec"] as Workload;
}

/** One container of a StatefulSet. */
export function containerOf(recorded: Run, statefulSet: string, name: string): Container {
  const { containers } = workload(recorded, statefulSet).template.spec;
  const found = containers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no container ${name} in ${statefulSet}`);
  return found;
}

/** What every pod of a run is started with. */
export function allContainers(recorded: Run): readonly Container[] {
  return recorded.resources
    .filter(({ type }) => /:(StatefulSet|Deployment)$/.test(type))
    .flatMap(({ inputs }) => (inputs["spec"] as Workload).template.spec.containers);
}
