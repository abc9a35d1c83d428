import type { types } from "@pulumi/kubernetes";
import type { ContainerComponent, PodComponent } from "../../model/parts";
import { commonLabels, type Part } from "./labels";
import type { Platform } from "./platform";
import type { NO_PROBES, Probes } from "./probes";
import { nodeHeapMebibytes } from "./resources";
import { containerSecurity, podSecurity } from "./security";

type PodTemplate = types.input.core.v1.PodTemplateSpec;
type Container = types.input.core.v1.Container;

/** A container under the `restricted` profile. */
export interface ContainerArgs {
  /** What the container is, and whose resources it gets. */
  readonly name: ContainerComponent;
  /** Its name in the pod, where it has the resources of something of its kind; default: `name`. */
  readonly containerName?: string;
  readonly image: string;
  /** Overrides the image's entrypoint. */
  readonly command?: readonly string[];
  readonly args: readonly string[];
  /** Environment; arguments refer to it as `$(NAME)`. */
  readonly env?: readonly types.input.core.v1.EnvVar[];
  /** Port numbers by name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly probes: Probes | typeof NO_PROBES;
  /** Mount paths by volume name; all but those in `writable` are read-only. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly writable?: readonly string[];
  readonly uid: number;
  /** Seconds that the container goes on serving after it was told to stop, so that clients can leave first. */
  readonly drainSeconds?: number;
}

/** A field with a list, or nothing for an empty one: the API server drops those, and they would show as drift. */
function filled<K extends string, T>(key: K, list: readonly T[]): Partial<Record<K, T[]>> {
  return list.length === 0 ? {} : ({ [key]: [...list] } as Partial<Record<K, T[]>>);
}

/** A container under the `restricted` profile, with the resources that the stack gives it. */
export function container(platform: Platform, args: ContainerArgs): Container {
  return {
    name: args.containerName ?? args.name,
    image: args.image,
    ...(args.command === undefined ? {} : { command: [...args.command] }),
    args: [...args.args],
    ...filled("env", args.env ?? []),
    ...filled(
      "ports",
      Object.entries(args.ports).map(([name, containerPort]) => ({ name, containerPort })),
    ),
    ...args.probes,
    ...(args.drainSeconds === undefined ? {} : { lifecycle: { preStop: { sleep: { seconds: args.drainSeconds } } } }),
    resources: platform.resources[args.name],
    securityContext: containerSecurity(args.uid),
    ...filled(
      "volumeMounts",
      Object.entries(args.mounts).map(([name, mountPath]) => ({
        name,
        mountPath,
        ...(args.writable?.includes(name) === true ? {} : { readOnly: true }),
      })),
    ),
  };
}

/** Volume name and mount path of the bundle of our own services. */
const SERVICES = { volume: "services", path: "/opt/scaled-prometheus", file: "services.cjs" } as const;

/** A container that runs one of our own services from the bundle: the subcommand of the container's name. */
export function serviceContainer(
  platform: Platform,
  args: Omit<ContainerArgs, "image" | "command"> & {
    readonly name: "adapter" | "exporter" | "gate" | "rules-sync";
  },
): Container {
  const heap = nodeHeapMebibytes(platform.resources[args.name]);
  return container(platform, {
    ...args,
    image: platform.images.node,
    command: ["node"],
    args: [
      `--max-old-space-size=${String(heap)}`,
      `${SERVICES.path}/${SERVICES.file}`,
      args.containerName ?? args.name,
      ...args.args,
    ],
    mounts: { ...args.mounts, [SERVICES.volume]: SERVICES.path },
  });
}

/** The volume that {@link serviceContainer} mounts. */
export function servicesVolume(platform: Platform): types.input.core.v1.Volume {
  return { name: SERVICES.volume, configMap: { name: platform.servicesMap } };
}

/** A pod under the `restricted` profile. */
export interface PodArgs {
  readonly part: Part & { readonly component: PodComponent };
  readonly containers: readonly Container[];
  /** Run to their end before the others start. */
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly types.input.core.v1.Volume[];
  readonly uid: number;
  /** Where the pod must not run. */
  readonly affinity?: types.input.core.v1.Affinity;
  /** Seconds between the order to stop and the kill. */
  readonly terminationGracePeriodSeconds: number;
}

/** The pod template of a workload. */
export function podTemplate(platform: Platform, args: PodArgs): PodTemplate {
  const { nodeSelector, tolerations, priorityClassName } = platform.scheduling[args.part.component];
  return {
    metadata: { labels: commonLabels(args.part, platform.labels) },
    spec: {
      ...(args.affinity === undefined ? {} : { affinity: args.affinity }),
      automountServiceAccountToken: false,
      containers: [...args.containers],
      enableServiceLinks: false,
      ...filled("initContainers", args.initContainers ?? []),
      ...filled(
        "imagePullSecrets",
        platform.pullSecrets.map((name) => ({ name })),
      ),
      ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      securityContext: podSecurity(args.uid),
      serviceAccountName: args.part.component,
      terminationGracePeriodSeconds: args.terminationGracePeriodSeconds,
      ...filled("tolerations", tolerations as readonly types.input.core.v1.Toleration[]),
      ...filled("volumes", args.volumes),
    },
  };
}
