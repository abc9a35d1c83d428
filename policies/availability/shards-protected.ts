import { partsNamed, replicaKey } from "../kit/pipeline";
import { stackPolicy } from "../kit/policy";

/** Where a stack protects anything, every shard in the ring and the namespace are protected. */
export const shardsProtected = stackPolicy(
  {
    name: "shards-protected",
    description: "Where a stack protects anything, every shard in the ring and the namespace are protected.",
    severity: "critical",
    remediation: "set deletionProtection to true and pass isProtected on to the StatefulSet",
    url: "https://www.pulumi.com/docs/iac/concepts/options/protect/",
  },
  (resources) => {
    if (!resources.some(({ isProtected }) => isProtected)) return [];
    const inRing = new Set(partsNamed(resources, "hub").map(replicaKey));
    const guarded = [
      ...partsNamed(resources, "prometheus")
        .filter((each) => inRing.has(replicaKey(each)))
        .map(({ resource }) => resource),
      ...resources.filter(({ type }) => type === "kubernetes:core/v1:Namespace"),
    ];
    return guarded
      .filter(({ isProtected }) => !isProtected)
      .map(({ name, urn }) => ({ message: `${name} is not protected, and others are`, urn }));
  },
);
