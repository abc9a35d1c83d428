import { at, isUnknown } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** No two objects of a stack are the same Kubernetes object: the second would overwrite the first. */
export const noTwoWriters = stackPolicy(
  {
    name: "no-two-writers",
    description: "No two objects of a stack are the same Kubernetes object: the second would overwrite the first.",
    severity: "critical",
    remediation: "give one of the two another name",
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
  },
  (resources) => {
    const seen = new Map<string, string>();
    return resources.flatMap(({ type, props, urn }) => {
      const name = at(props, "metadata", "name");
      if (!type.startsWith("kubernetes:") || typeof name !== "string" || isUnknown(name)) return [];
      const key = [type, at(props, "metadata", "namespace"), name].join(" ");
      const other = seen.get(key);
      seen.set(key, urn);
      return other === undefined ? [] : [{ message: `${key} exists twice`, urn }];
    });
  },
);
