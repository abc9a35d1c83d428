import { dump, load } from "js-yaml";
import type { Resource } from "../../../policies/kit/policy";

/** Ways to break a compliant stack in exactly one place. */

/** A change of a stack's resources. */
export type Break = (resources: readonly Resource[]) => readonly Resource[];

type Path = readonly (string | number)[];

/** A copy of a value with another one at a path; undefined takes the key out. */
export function replaced(value: unknown, path: Path, next: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return next;
  if (typeof key === "number") {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    const copy = [...list];
    copy[key] = replaced(copy[key], rest, next);
    return copy;
  }
  const copy: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
  copy[key] = replaced(copy[key], rest, next);
  return Object.fromEntries(Object.entries(copy).filter(([, each]) => each !== undefined));
}

/** Whether a resource is the one that `Kind name` means. */
function isMeant(resource: Resource, who: string): boolean {
  return `${resource.type.split(":").at(-1) ?? ""} ${resource.name}` === who;
}

/** Changes a resource as a whole; an error where there is none of that kind and name. */
export function changeResource(who: string, change: (resource: Resource) => Resource): Break {
  return (resources) => {
    if (!resources.some((each) => isMeant(each, who))) throw new Error(`the fixture has no ${who}`);
    return resources.map((each) => (isMeant(each, who) ? change(each) : each));
  };
}

/** Puts a value at a path of the inputs of `Kind name`. */
export function change(who: string, path: Path, value: unknown): Break {
  return changeResource(who, (resource) => ({
    ...resource,
    props: replaced(resource.props, path, value) as Resource["props"],
  }));
}

const POD: Path = ["spec", "template", "spec"];

/** Puts a value at a path of the pod of `Kind name`. */
export function changePod(who: string, path: Path, value: unknown): Break {
  return change(who, [...POD, ...path], value);
}

/** Puts a value at a path of the first container of `Kind name`. */
export function changeContainer(who: string, path: Path, value: unknown): Break {
  return changePod(who, ["containers", 0, ...path], value);
}

/** Rewrites the arguments of the first container of `Kind name`. */
export function changeArgs(who: string, rewrite: (args: readonly string[]) => readonly string[]): Break {
  return changeResource(who, (resource) => {
    const spec = resource.props["spec"] as {
      readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
    };
    const args = rewrite(spec.template.spec.containers[0]?.args ?? []);
    return {
      ...resource,
      props: replaced(resource.props, [...POD, "containers", 0, "args"], args) as Resource["props"],
    };
  });
}

/** Puts a value at a path of a YAML file in the ConfigMap `name`. */
export function changeYaml(name: string, file: string, path: Path, value: unknown): Break {
  return changeResource(`ConfigMap ${name}`, (resource) => {
    const data = resource.props["data"] as Readonly<Record<string, string>>;
    const changed = dump(replaced(load(data[file] ?? ""), path, value));
    return { ...resource, props: replaced(resource.props, ["data", file], changed) as Resource["props"] };
  });
}

/** Takes `Kind name` away. */
export function remove(who: string): Break {
  return (resources) => {
    const left = resources.filter((each) => !isMeant(each, who));
    if (left.length === resources.length) throw new Error(`the fixture has no ${who}`);
    return left;
  };
}

/** Adds one more resource. */
export function add(resource: Resource): Break {
  return (resources) => [...resources, resource];
}

/** Adds a copy of `Kind name` under another name, with changes. */
export function addCopy(who: string, name: string, ...changes: readonly Break[]): Break {
  return (resources) => {
    const original = resources.find((each) => isMeant(each, who));
    if (original === undefined) throw new Error(`the fixture has no ${who}`);
    const copy = { ...original, name, urn: `${original.urn}-${name}` };
    return [...resources, ...inOrder(...changes)([copy])];
  };
}

/** Several changes as one. */
export function inOrder(...changes: readonly Break[]): Break {
  return (resources) => changes.reduce((all, each) => each(all), resources);
}
