import { partOf } from "../kit/pipeline";
import { at } from "../kit/values";
import { podPolicy, type Workload } from "../kit/workloads";

/** Seconds that a part needs to stop, by the longest in the pod. */
function needed(pod: Workload): number {
  const drains = pod.containers.map(({ value }) => Number(at(value, "lifecycle", "preStop", "sleep", "seconds") ?? 0));
  const isThanos = pod.containers.some(({ image }) => /(^|\/)thanos[:@-]/.test(image));
  return Math.max(
    // It writes its head; 90 s were too short for large ones.
    partOf(pod) === "prometheus" ? 600 : 0,
    // Thanos waits 120 s for queries under way.
    isThanos ? 121 : 0,
    Math.max(0, ...drains) + 1,
  );
}

/** A pod has longer to stop than its parts need: 600 s for Prometheus, over 120 s for Thanos, and its drain. */
export const terminationGrace = podPolicy(
  {
    name: "termination-grace",
    description:
      "A pod has longer to stop than its parts need: 600 s for Prometheus, over 120 s for Thanos, and its drain.",
    severity: "high",
    remediation: "raise terminationGracePeriodSeconds: a kill loses what is in memory or fails queries under way",
    url: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
  },
  (pod) => {
    const seconds = Number(at(pod.pod, "terminationGracePeriodSeconds") ?? 30);
    const least = needed(pod);
    return seconds >= least ? [] : [`has ${String(seconds)} s to stop and needs at least ${String(least)} s`];
  },
);
