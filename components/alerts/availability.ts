import type { Alert, AlertScope } from "./alert";

/** Pods of a job that answer; 0 where there is none. */
function answering(job: string): string {
  return `(count(up{job="${job}"} == 1) or vector(0))`;
}

/** Who is there, beside who should be. */
export function availabilityAlerts(scope: AlertScope): Alert[] {
  const parts = Object.entries(scope.replicas);
  // One target each, by name, so that a missing one is `up == 0` and not an absent series.
  const ofShard = ["prometheus", "gate", "hub", ...(scope.isSharded ? ["sidecar"] : [])];
  return [
    {
      name: "ShardPartDown",
      expr: `up{job=~"${ofShard.join("|")}"} == 0`,
      for: "5m",
      severity: "critical",
      part: "shard",
      summary: "{{ $labels.job }} of shard {{ $labels.shard }}, replica {{ $labels.replica }}, does not answer",
      description:
        "Without its hub, its pushes go to the other replica alone, or to other shards. Without any other part it can't be " +
        "queried, and where there is no other replica, or that one has gaps, answers that need it are errors.",
    },
    ...parts.map(([job]): Alert => ({
      name: "PartDown",
      expr: `${answering(job)} == 0`,
      for: "2m",
      severity: "critical",
      part: job,
      summary: `no pod of ${job} answers`,
      description: `The stack should run ${job}, and nobody sees one: what it does is not done at all.`,
    })),
    ...parts
      .filter(([, expected]) => expected > 1)
      .map(([job, expected]): Alert => ({
        name: "ReplicasMissing",
        expr: `${answering(job)} < ${String(expected)}`,
        for: "10m",
        severity: "warning",
        part: job,
        summary: `{{ $value }} of ${String(expected)} pods of ${job} answer`,
        description: `The others carry the load of those that are missing; the next failure may be an outage of ${job}.`,
      })),
  ];
}
