import type { AlertScope } from "../../../../components/alerts/alert";

/** Two shards of two replicas, all other parts with two pods, and an upload. */
export const SCOPE: AlertScope = {
  isSharded: true,
  deployed: [
    { shard: 0, replica: "a" },
    { shard: 0, replica: "b" },
    { shard: 1, replica: "a" },
    { shard: 1, replica: "b" },
  ],
  endpoints: 3,
  ringShards: 2,
  ringVersion: "current",
  replicas: { exporter: 2, querier: 2, alertmanager: 1 },
  diskBytes: 1000,
  hasObjectStorage: true,
  runbooks: "docs/runbooks",
};

/** Labels of the hub or Prometheus of shard 0, as in a selector. */
export const SHARD = 'shard="0",replica="a"';
/** The same, as in a result. */
export const shard = { shard: "0", replica: "a" } as const;

/** One situation: promtool's series, one sample a minute, and which series of an alert fire at a minute. */
export interface AlertCase {
  readonly alert: string;
  readonly when: string;
  readonly series: Readonly<Record<string, string>>;
  readonly minute: number;
  /** Labels of what fires, without its name and the rule's own. Empty: nothing fires. */
  readonly fires: readonly Readonly<Record<string, string>>[];
  /** Label `part` of the rule. */
  readonly part?: string;
}

/** Prometheus of shard 0, as in a selector. */
export const prometheus = `job="prometheus",instance="prometheus-shard-0-a",${SHARD}`;

/** Prometheus of shard 0, as in a result. */
export const prometheusLabels = { job: "prometheus", instance: "prometheus-shard-0-a", ...shard } as const;

/** Hub of shard 0, as in a selector. */
export const hub = `job="hub",instance="hub-shard-0-a",${SHARD}`;
