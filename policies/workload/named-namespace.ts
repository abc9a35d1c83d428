import { resourcePolicy } from "../kit/policy";
import { at, text } from "../kit/values";

/** Kinds that are of no namespace. */
const CLUSTER_WIDE =
  /:(Namespace|ClusterRole|ClusterRoleBinding|StorageClass|PersistentVolume|PriorityClass|CustomResourceDefinition)$/;

/** Every object is in a namespace that it names, and that is not `default` or the system's. */
export const namedNamespace = resourcePolicy(
  {
    name: "named-namespace",
    description: "Every object is in a namespace that it names, and that is not `default` or the system's.",
    severity: "medium",
    remediation: "set metadata.namespace to the stack's namespace",
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
    types: /^kubernetes:/,
  },
  ({ type, props }) => {
    if (CLUSTER_WIDE.test(type)) return [];
    const namespace = text(at(props, "metadata", "namespace"));
    if (namespace === undefined) return ["names no namespace"];
    return namespace === "default" || namespace.startsWith("kube-") ? [`is in the namespace ${namespace}`] : [];
  },
);
