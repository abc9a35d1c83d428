import { isUnknown } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** A registry: a host with a dot or a port, or localhost. */
const REGISTRY = /^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+)(:\d+)?\//;

/** Every image names its registry, so that a node's search list can't answer with somebody else's image. */
export const qualifiedImages = containerPolicy(
  {
    name: "qualified-images",
    description:
      "Every image names its registry, so that a node's search list can't answer with somebody else's image.",
    severity: "medium",
    remediation: "write the registry's host in front, such as docker.io/library/ or your mirror",
    url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
  },
  ({ image }) => (isUnknown(image) || REGISTRY.test(image) ? [] : [`image "${image}" does not name its registry`]),
);
