import { hub, prometheus, SHARD, shard, type AlertCase } from "./alert-case";

const up = (job: string, instance: string) => `up{job="${job}",instance="${instance}"}`;

/** Who is there. */
export const AVAILABILITY_CASES: readonly AlertCase[] = [
  {
    alert: "ShardPartDown",
    when: "the gate of a shard has not answered for 6 minutes",
    series: { [`up{job="gate",instance="prometheus-shard-0-a",${SHARD}}`]: "1x4 0x10", [`up{${prometheus}}`]: "1x14" },
    minute: 11,
    fires: [{ job: "gate", instance: "prometheus-shard-0-a", ...shard }],
    part: "shard",
  },
  {
    alert: "ShardPartDown",
    when: "a hub is replaced within 3 minutes",
    series: { [`up{${hub}}`]: "1x4 0x2 1x10" },
    minute: 9,
    fires: [],
  },
  {
    alert: "ShardPartDown",
    when: "the Prometheus of replica b has not answered for 6 minutes, and that of a does",
    series: {
      [`up{${prometheus}}`]: "1x14",
      'up{job="prometheus",instance="prometheus-shard-0-b",shard="0",replica="b"}': "1x4 0x10",
    },
    minute: 11,
    fires: [{ job: "prometheus", instance: "prometheus-shard-0-b", shard: "0", replica: "b" }],
    part: "shard",
  },
  {
    alert: "PartDown",
    when: "no exporter is found",
    series: { [up("querier", "q1")]: "1x10", [up("alertmanager", "alertmanager")]: "1x10" },
    minute: 5,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "PartDown",
    when: "one pod of each part answers",
    series: {
      [up("exporter", "e1")]: "1x10",
      [up("exporter", "e2")]: "0x10",
      [up("querier", "q1")]: "1x10",
      [up("alertmanager", "alertmanager")]: "1x10",
    },
    minute: 5,
    fires: [],
  },
  {
    alert: "ReplicasMissing",
    when: "one of two exporters does not answer",
    series: {
      [up("exporter", "e1")]: "1x20",
      [up("exporter", "e2")]: "0x20",
      [up("querier", "q1")]: "1x20",
      [up("querier", "q2")]: "1x20",
    },
    minute: 12,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "ReplicasMissing",
    when: "an exporter is missing for 9 minutes",
    series: {
      [up("exporter", "e1")]: "1x20",
      [up("exporter", "e2")]: "1x1 0x8 1x11",
      [up("querier", "q1")]: "1x20",
      [up("querier", "q2")]: "1x20",
    },
    minute: 12,
    fires: [],
  },
];
