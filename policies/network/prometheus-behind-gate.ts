import { partOf } from "../kit/pipeline";
import { flag, podPolicy } from "../kit/workloads";

/** A shard's Prometheus listens on loopback, so that all requests pass the gate of its pod. */
export const prometheusBehindGate = podPolicy(
  {
    name: "prometheus-behind-gate",
    description: "A shard's Prometheus listens on loopback, so that all requests pass the gate of its pod.",
    severity: "high",
    remediation: "set web.listen-address to 127.0.0.1, as stacks/prometheus-plan.ts does",
    url: "https://prometheus.io/docs/operating/security/#prometheus",
  },
  (pod) => {
    if (partOf(pod) !== "prometheus") return [];
    return pod.containers
      .filter(({ name }) => name === "prometheus")
      .flatMap(({ args }) => {
        const address = flag(args, "web.listen-address");
        return typeof address === "string" && address.startsWith("127.0.0.1:")
          ? []
          : [`listens on ${String(address ?? "every address")}`];
      });
  },
);
