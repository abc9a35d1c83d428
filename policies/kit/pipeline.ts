import { PROJECT } from "../../model/names";
import type { Resource } from "./policy";
import { at, fields, items, text, textFields, yaml } from "./values";
import { workloads, type Container, type Workload } from "./workloads";

/** What the pipeline's own policies have to find in a stack. */

/** Which replica of which shard a pod belongs to. */
export interface ShardReplica {
  readonly shard: string;
  readonly replica: string;
}

/** The part that a workload is: its label `app.kubernetes.io/name`. */
export function partOf(workload: Workload): string {
  return workload.labels["app.kubernetes.io/name"] ?? "";
}

/** Label of objects and pods that are of one shard. */
export const SHARD_LABEL = `${PROJECT}/shard`;

/** The replica of a shard that a workload belongs to; undefined for a part that belongs to none. */
export function replicaOf({ labels }: Workload): ShardReplica | undefined {
  const [shard, replica] = [labels[SHARD_LABEL], labels[`${PROJECT}/replica`]];
  return shard === undefined || replica === undefined ? undefined : { shard, replica };
}

/** `0-a` */
export function replicaKey(workload: Workload): string {
  const { shard = "?", replica = "?" } = replicaOf(workload) ?? {};
  return `${shard}-${replica}`;
}

/** All workloads that are a part. */
export function partsNamed(resources: readonly Resource[], part: string): readonly Workload[] {
  return workloads(resources).filter((each) => partOf(each) === part);
}

/** A container that runs one of Thanos' subcommands. */
export interface ThanosContainer {
  readonly workload: Workload;
  readonly container: Container;
}

/** Containers that run `thanos <subcommand>`, whatever the part is called. */
export function thanos(resources: readonly Resource[], subcommand: string): readonly ThanosContainer[] {
  return workloads(resources).flatMap((workload) =>
    workload.containers
      .filter(({ image, args }) => /(^|\/)thanos[:@-]/.test(image) && args[0] === subcommand)
      .map((container) => ({ workload, container })),
  );
}

/** A file that a pod mounts from a ConfigMap or Secret of the stack. */
export interface MountedFile {
  readonly workload: Workload;
  /** The ConfigMap or Secret. */
  readonly map: Resource;
  readonly file: string;
  readonly content: string;
}

/** What holds files, with the input that they are in. */
const FILE_FIELDS: Readonly<Record<string, string>> = {
  "kubernetes:core/v1:ConfigMap": "data",
  "kubernetes:core/v1:Secret": "stringData",
};

/** `<type> <name>` of all ConfigMaps and Secrets that a pod mounts. */
function mountedNames(pod: unknown): ReadonlySet<string> {
  const sources = items(at(pod, "volumes")).flatMap((volume) => [volume, ...items(at(volume, "projected", "sources"))]);
  return new Set(
    sources.flatMap((source) => [
      `kubernetes:core/v1:ConfigMap ${text(at(source, "configMap", "name")) ?? ""}`,
      `kubernetes:core/v1:Secret ${text(at(source, "secret", "secretName")) ?? text(at(source, "secret", "name")) ?? ""}`,
    ]),
  );
}

/** The files that a workload's pods mount from ConfigMaps and Secrets which the stack makes. */
export function mountedFiles(resources: readonly Resource[], workload: Workload): readonly MountedFile[] {
  const names = mountedNames(workload.pod);
  return resources
    .filter(({ type, props }) => names.has(`${type} ${text(at(props, "metadata", "name")) ?? "?"}`))
    .flatMap((map) =>
      Object.entries(textFields(at(map.props, FILE_FIELDS[map.type] ?? "?"))).map(([file, content]) => ({
        workload,
        map,
        file,
        content,
      })),
    );
}

/** The configuration of one Prometheus server. */
export interface PrometheusConfig extends MountedFile {
  /** What the file says. */
  readonly config: unknown;
}

/** The configuration of every Prometheus that holds a shard's samples. */
export function prometheusConfigs(resources: readonly Resource[]): readonly PrometheusConfig[] {
  return partsNamed(resources, "prometheus").flatMap((workload) =>
    mountedFiles(resources, workload).flatMap((mounted) => {
      const config = yaml(mounted.content);
      return at(config, "scrape_configs") === undefined ? [] : [{ ...mounted, config }];
    }),
  );
}

/** Every scrape configuration in any ConfigMap of the stack, with those who mount it. */
export function scrapeConfigs(resources: readonly Resource[]): readonly PrometheusConfig[] {
  return workloads(resources).flatMap((workload) =>
    mountedFiles(resources, workload).flatMap((mounted) => {
      if (!/\.ya?ml$/.test(mounted.file)) return [];
      const config = yaml(mounted.content);
      return at(config, "scrape_configs") === undefined ? [] : [{ ...mounted, config }];
    }),
  );
}

/** Hosts that a scrape job names, without ports. */
export function hostsOf(job: unknown): readonly string[] {
  const static_ = items(at(job, "static_configs")).flatMap((each) => items(at(each, "targets")));
  const looked = items(at(job, "dns_sd_configs")).flatMap((each) => items(at(each, "names")));
  return [...static_, ...looked].flatMap((each) => (typeof each === "string" ? [each.split(":")[0] ?? each] : []));
}

/** Rule groups in the files that a workload mounts. */
export function ruleGroups(
  resources: readonly Resource[],
  workload: Workload,
): readonly { readonly file: MountedFile; readonly rules: readonly unknown[] }[] {
  return mountedFiles(resources, workload).flatMap((file) => {
    if (!/\.(ya?ml|rules)$/.test(file.file)) return [];
    return items(at(yaml(file.content), "groups")).map((group) => ({ file, rules: items(at(group, "rules")) }));
  });
}

/** A Service of the stack. */
export interface Service {
  readonly resource: Resource;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly port: unknown; readonly target: unknown }[];
}

/** The Services of a stack. */
export function services(resources: readonly Resource[]): readonly Service[] {
  return resources
    .filter(({ type }) => type === "kubernetes:core/v1:Service")
    .map((resource) => ({
      resource,
      name: text(at(resource.props, "metadata", "name")) ?? resource.name,
      selector: textFields(at(resource.props, "spec", "selector")),
      ports: items(at(resource.props, "spec", "ports")).map((each) => ({
        port: at(each, "port"),
        target: at(each, "targetPort") ?? at(each, "port"),
      })),
    }));
}

/** Container port that a Service's target names in a workload: a number, or the name of a container's port. */
export function containerPort(workload: Workload, target: unknown): number | undefined {
  if (typeof target === "number") return target;
  const port = workload.containers
    .flatMap(({ value }) => items(at(value, "ports")))
    .find((each) => at(each, "name") === target);
  const found = at(port, "containerPort");
  return typeof found === "number" ? found : undefined;
}

/** Whether a workload's pods carry all labels of a selector; an empty one selects none. */
export function isSelected(workload: Workload, selector: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => workload.labels[key] === value);
}

/** Whether the stack has shards behind Thanos. */
export function isSharded(resources: readonly Resource[]): boolean {
  return thanos(resources, "query").length > 0;
}

/** Labels that Thanos knows a Prometheus by. */
export function externalLabels(config: unknown): Readonly<Record<string, unknown>> {
  return fields(at(config, "global", "external_labels"));
}
