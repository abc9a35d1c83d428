import { at } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** No container has a CPU limit: throttling delays scrapes, and a late scrape of a hub loses samples. */
export const noCpuLimits = containerPolicy(
  {
    name: "no-cpu-limits",
    description: "No container has a CPU limit: throttling delays scrapes, and a late scrape of a hub loses samples.",
    severity: "low",
    remediation: "take resources.limits.cpu out; the request is what the scheduler and the kernel share by",
    url: "https://github.com/thanos-io/thanos/issues/3393",
  },
  ({ value }) => {
    const limit = at(value, "resources", "limits", "cpu");
    return limit === undefined ? [] : [`its CPU limit is ${JSON.stringify(limit)}`];
  },
);
