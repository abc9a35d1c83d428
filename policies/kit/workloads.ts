import { resourcePolicy, type Resource, type ResourcePolicy } from "./policy";
import { at, fields, items, text, textFields, texts } from "./values";

/** What makes pods, with the path from its inputs to the pod template. */
const TEMPLATE_PATHS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes:core/v1:Pod": [],
  "kubernetes:apps/v1:Deployment": ["spec", "template"],
  "kubernetes:apps/v1:StatefulSet": ["spec", "template"],
  "kubernetes:apps/v1:DaemonSet": ["spec", "template"],
  "kubernetes:apps/v1:ReplicaSet": ["spec", "template"],
  "kubernetes:batch/v1:Job": ["spec", "template"],
  "kubernetes:batch/v1:CronJob": ["spec", "jobTemplate", "spec", "template"],
};

/** Types of everything that makes pods. */
export const WORKLOAD_TYPES = Object.keys(TEMPLATE_PATHS);

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly image: string;
  /** Command and arguments. */
  readonly args: readonly string[];
  readonly value: unknown;
  /** It runs before the others and ends. */
  readonly isInit: boolean;
}

/** Something that makes pods. */
export interface Workload {
  readonly resource: Resource;
  /** Kubernetes' name of it. */
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Spec of the workload itself. */
  readonly spec: unknown;
  /** Spec of its pods. */
  readonly pod: unknown;
  readonly containers: readonly Container[];
}

function container(value: unknown, isInit: boolean): Container {
  return {
    name: text(at(value, "name")) ?? "?",
    image: text(at(value, "image")) ?? "",
    args: [...texts(at(value, "command")), ...texts(at(value, "args"))],
    value,
    isInit,
  };
}

function readWorkload(resource: Resource): Workload | undefined {
  const path = TEMPLATE_PATHS[resource.type];
  if (path === undefined) return undefined;
  const template = at(resource.props, ...path);
  const pod = at(template, "spec");
  return {
    resource,
    name: text(at(resource.props, "metadata", "name")) ?? resource.name,
    namespace: text(at(resource.props, "metadata", "namespace")),
    labels: textFields(at(template, "metadata", "labels")),
    annotations: textFields(at(template, "metadata", "annotations")),
    spec: fields(resource.props)["spec"],
    pod,
    containers: [
      ...items(at(pod, "initContainers")).map((each) => container(each, true)),
      ...items(at(pod, "containers")).map((each) => container(each, false)),
    ],
  };
}

const read = new WeakMap<Resource, Workload | undefined>();

/** The workload behind a resource; undefined for a resource that makes no pods. Read once, for most policies ask. */
export function workload(resource: Resource): Workload | undefined {
  if (!read.has(resource)) read.set(resource, readWorkload(resource));
  return read.get(resource);
}

/** All workloads of a stack. */
export function workloads(resources: readonly Resource[]): readonly Workload[] {
  return resources.flatMap((resource) => workload(resource) ?? []);
}

type Described = Omit<Parameters<typeof resourcePolicy>[0], "types">;

/** Makes a policy that looks at every pod. */
export function podPolicy(described: Described, check: (pod: Workload) => readonly string[]): ResourcePolicy {
  return resourcePolicy({ ...described, types: WORKLOAD_TYPES }, (resource) => {
    const found = workload(resource);
    return found === undefined ? [] : check(found);
  });
}

/** Makes a policy that looks at every container; a violation is told with the container's name. */
export function containerPolicy(
  described: Described,
  check: (container: Container, pod: Workload) => readonly string[],
): ResourcePolicy {
  return podPolicy(described, (pod) =>
    pod.containers.flatMap((each) => check(each, pod).map((message) => `container ${each.name}: ${message}`)),
  );
}

/** Value of a field that a container sets itself or takes from its pod. */
export function security(each: Container, pod: Workload, field: string): unknown {
  return at(each.value, "securityContext", field) ?? at(pod.pod, "securityContext", field);
}

/** Value of a flag `--name=value` or `--name value`; true for `--name`, false for `--no-name`. */
export function flag(args: readonly string[], name: string): string | boolean | undefined {
  return flags(args, name).at(-1);
}

/** All values of a flag that may be given several times. */
export function flags(args: readonly string[], name: string): readonly (string | boolean)[] {
  return args.flatMap((arg): readonly (string | boolean)[] => {
    if (arg === `--${name}`) return [true];
    if (arg === `--no-${name}`) return [false];
    return arg.startsWith(`--${name}=`) ? [arg.slice(name.length + 3)] : [];
  });
}
