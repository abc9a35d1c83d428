import type { types } from "@pulumi/kubernetes";

type Probe = types.input.core.v1.Probe;

/** Paths of the two questions that Prometheus, Thanos, Alertmanager and our own services answer. */
const READY = "/-/ready";
const HEALTHY = "/-/healthy";

/** Probes of a container. */
export interface Probes {
  readonly startupProbe?: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}

/** An init container has none: it ends. */
export const NO_PROBES = {} as const;

/** Probes of a part that is ready within seconds. */
export function quickProbes(port: string | number): Probes {
  return {
    readinessProbe: { httpGet: { path: READY, port }, periodSeconds: 3, timeoutSeconds: 3 },
    livenessProbe: {
      httpGet: { path: HEALTHY, port },
      initialDelaySeconds: 10,
      periodSeconds: 15,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
  };
}

/**
 * Probes of a Prometheus and of a Store Gateway: nothing restarts them for up to an hour while they replay the WAL (70 M
 * series: about 25 min) or fetch the index headers of a large bucket.
 */
export function replayingProbes(port: string | number): Probes {
  return {
    ...quickProbes(port),
    startupProbe: { httpGet: { path: READY, port }, periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 1200 },
  };
}

/** Probes of prometheus-configmanager's parts, which answer at `/` only. */
export function rootProbes(port: string | number): Probes {
  return {
    readinessProbe: { httpGet: { path: "/", port }, periodSeconds: 3, timeoutSeconds: 3 },
    livenessProbe: {
      httpGet: { path: "/", port },
      initialDelaySeconds: 10,
      periodSeconds: 15,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
  };
}

/** Probes of an edge hub: only `/`, because a GET of /metrics empties it and /debug may kill it. */
export function hubProbes(port: string | number): Probes {
  return {
    readinessProbe: { httpGet: { path: "/", port }, periodSeconds: 3, timeoutSeconds: 3 },
    // While it renders a large scrape the hub may answer late; a restart would lose what it holds.
    livenessProbe: { httpGet: { path: "/", port }, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 6 },
  };
}
