import { dump } from "js-yaml";
import type { Resource } from "../../../policies/kit/policy";
import { at, text } from "../../../policies/kit/values";

/** A Kubernetes object as it would be applied. */
export type Manifest = Readonly<Record<string, unknown>>;

/** The Kubernetes objects of a stack. */
export function manifests(resources: readonly Resource[]): readonly Manifest[] {
  return resources.filter(({ type }) => type.startsWith("kubernetes:")).map(({ props }) => props);
}

/** Objects as one YAML file, sorted, so that equal stacks give equal text. */
export function toManifestYaml(objects: readonly Manifest[]): string {
  const key = (each: Manifest) =>
    ["kind", "name"].map((part) => text(at(each, part) ?? at(each, "metadata", part))).join();
  return [...objects]
    .sort((left, right) => (key(left) < key(right) ? -1 : 1))
    .map((each) => dump(each, { sortKeys: true, noRefs: true, lineWidth: -1 }))
    .join("---\n");
}
