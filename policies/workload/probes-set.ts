import { at } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

/** Every container has a readiness and a liveness probe that are not the same. */
export const probesSet = containerPolicy(
  {
    name: "probes-set",
    description: "Every container has a readiness and a liveness probe that are not the same.",
    severity: "medium",
    remediation:
      "take the probes from components/kit/probes.ts: liveness asks less, later and more patiently than readiness",
    url: "https://github.com/zegl/kube-score/blob/master/README_PROBES.md",
  },
  ({ value, isInit }) => {
    if (isInit) return [];
    const probes = { readinessProbe: at(value, "readinessProbe"), livenessProbe: at(value, "livenessProbe") };
    const missing = Object.entries(probes).flatMap(([name, probe]) => (probe === undefined ? [`has no ${name}`] : []));
    if (missing.length > 0) return missing;
    const [readiness, liveness] = Object.values(probes).map((probe) => JSON.stringify(probe));
    return readiness === liveness ? ["its readiness and liveness probes are the same"] : [];
  },
);
