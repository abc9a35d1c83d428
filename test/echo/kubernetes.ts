import type { EchoPackage, EchoType, Properties } from "./provider";

/** Replaced in every kind. */
const EVERYWHERE = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

/** Paths of which a change is a replacement (pulumi-kubernetes, provider/pkg/provider/forceNew: facts/pulumi.md, 6). */
const REPLACES: Readonly<Record<string, readonly string[]>> = {
  "apps/v1:DaemonSet": ["spec.selector"],
  "apps/v1:Deployment": ["spec.selector"],
  "apps/v1:StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "batch/v1:Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "core/v1:PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "core/v1:Service": ["spec.clusterIP"],
  "rbac.authorization.k8s.io/v1:RoleBinding": ["roleRef"],
  "storage.k8s.io/v1:StorageClass": ["parameters", "provisioner"],
};

/** Maps are changed in place (`enableConfigMapMutable`) unless they say `immutable`. */
const MAPS: Readonly<Record<string, readonly string[]>> = {
  "core/v1:ConfigMap": ["binaryData", "data", "immutable"],
  "core/v1:Secret": ["data", "immutable", "stringData", "type"],
};

function nameOf(inputs: Properties): string | undefined {
  const { metadata } = inputs;
  if (typeof metadata !== "object" || metadata === null || !("name" in metadata)) return undefined;
  return typeof metadata.name === "string" ? metadata.name : undefined;
}

function namespaceOf(inputs: Properties): string {
  const { metadata } = inputs;
  const named = typeof metadata === "object" && metadata !== null && "namespace" in metadata;
  return named && typeof metadata.namespace === "string" ? `${metadata.namespace}/` : "";
}

function typeFor(kind: string): EchoType {
  return {
    required: ["metadata"],
    replaces: [...EVERYWHERE, ...(REPLACES[kind] ?? [])],
    deletesFirst: (inputs) => nameOf(inputs) !== undefined,
    id: (inputs, made) => `${namespaceOf(inputs)}${nameOf(inputs) ?? made.name}`,
  };
}

/** Every kind of Kubernetes, and replacements as Pulumi's provider makes them. */
export const kubernetesPackage: EchoPackage = {
  version: "4.18.2",
  typeOf: (token) => {
    const kind = token.replace(/^kubernetes:/, "");
    const map = MAPS[kind];
    if (map === undefined) return typeFor(kind);
    return { ...typeFor(kind), replacesWhen: (before) => (before["immutable"] === true ? map : []) };
  },
  functions: {},
};
