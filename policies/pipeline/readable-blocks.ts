import { isSharded, partsNamed } from "../kit/pipeline";
import { flags } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

const UNREADABLE: ReadonlySet<string> = new Set(["st-storage", "xor2", "created-timestamps-storage"]);

/** No Prometheus that Thanos reads writes blocks in a format which Thanos doesn't know. */
export const readableBlocks = stackPolicy(
  {
    name: "readable-blocks",
    description: "No Prometheus that Thanos reads writes blocks in a format which Thanos doesn't know.",
    severity: "critical",
    remediation: "take the feature flag out",
    url: "https://github.com/thanos-io/thanos/issues/8984",
  },
  (resources) =>
    isSharded(resources)
      ? partsNamed(resources, "prometheus").flatMap(({ name, resource, containers }) =>
          containers
            .flatMap(({ args }) => flags(args, "enable-feature"))
            .flatMap((value) => String(value).split(","))
            .filter((feature) => UNREADABLE.has(feature))
            .map((feature) => ({ message: `${name} enables ${feature}`, urn: resource.urn })),
        )
      : [],
);
