/** How soon somebody has to look. */
export type Severity = "critical" | "warning";

/** One alert on the pipeline itself. */
export interface Alert {
  /** Also the name of its runbook page. */
  readonly name: string;
  readonly expr: string;
  /** How long the expression must hold, in Prometheus' notation. */
  readonly for: string;
  readonly severity: Severity;
  /** Which part of the pipeline to look at, where the expression's labels don't tell. */
  readonly part: string;
  /** One line. May use `{{ $labels.x }}` and `{{ $value }}`. */
  readonly summary: string;
  /** What it means for samples or answers. */
  readonly description: string;
}

/** Which Prometheus, and which hub. */
export interface ShardReplica {
  readonly shard: number;
  readonly replica: string;
}

/** What the alerts have to know of the stack: every expected number is a literal in its expression. */
export interface AlertScope {
  /** Whether there is Thanos. */
  readonly isSharded: boolean;
  /** Replicas of all shards, retired ones too. */
  readonly deployed: readonly ShardReplica[];
  /** Leaves that every root lists: one per queried shard, and that of the Rulers. */
  readonly endpoints: number;
  /** Number of shards in the ring. */
  readonly ringShards: number;
  /** Version of the ring that every exporter should use. */
  readonly ringVersion: string;
  /** Pods that should run, by job; a job that is not here does not exist in this size. */
  readonly replicas: Readonly<Record<string, number>>;
  /** Bytes of the volume of each shard's Prometheus. */
  readonly diskBytes: number;
  /** Whether blocks are uploaded. */
  readonly hasObjectStorage: boolean;
  /** Base of the runbooks' addresses, without a slash at the end. */
  readonly runbooks: string;
}
