import { Metrics, type Counter, type Histogram } from "../plumbing/metrics";
import type { ShardView } from "./route";

/** Seconds; dashboards' queries take milliseconds, Magma's whole-fleet count minutes. */
const buckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** The adapter's own metrics. */
export class AdapterMetrics {
  readonly all = new Metrics();
  readonly queries: Counter;
  readonly leafReasons: Counter;
  readonly failures: Counter;
  readonly seconds: Histogram;
  readonly samples: Counter;
  readonly infos: Counter;
  readonly retries: Counter;
  readonly proxied: Counter;
  readonly inFlight: Counter;
  readonly up: Counter;
  readonly gaps: Counter;
  readonly buffered: Counter;

  constructor() {
    const { all } = this;
    this.queries = all.counter("adapter_queries_total", "Queries answered, by who answered: prometheus, leaf, nobody.");
    this.leafReasons = all.counter("adapter_leaf_queries_total", "Queries that went to the leaf, by reason.");
    this.failures = all.counter("adapter_replica_failures_total", "Queries that a replica did not answer.");
    this.seconds = all.histogram("adapter_query_duration_seconds", "Time of a query, by who answered.", buckets);
    this.samples = all.counter("adapter_samples_total", "Samples that Prometheus read for queries.");
    this.infos = all.counter(
      "adapter_infos_dropped_total",
      "PromQL infos dropped: they would keep answers from caches.",
    );
    this.retries = all.counter("adapter_leaf_retries_total", "Calls of the leaf that were tried again.");
    this.proxied = all.counter(
      "adapter_proxied_total",
      "Calls of other APIs, by method, code and who answered: prometheus, leaf, nobody.",
    );
    this.inFlight = all.gauge("adapter_in_flight_calls", "Calls in hand.");
    this.up = all.gauge("adapter_replica_up", "1 while a replica answers.");
    this.gaps = all.gauge("adapter_replica_gaps", "Stretches of time in which a replica misses push batches.");
    this.buffered = all.gauge("adapter_buffered_bytes", "Bytes of answers that are being put together.");
    for (const plain of [this.samples, this.infos, this.retries, this.inFlight, this.buffered]) plain.add(0);
    for (const reason of ["gaps", "replicas failed"]) this.leafReasons.add(0, { reason });
    for (const via of ["prometheus", "leaf", "nobody"]) this.queries.add(0, { via });
    all.addProcess();
  }

  /** Everything, with what is known of the shard at this moment. */
  render({ replicas }: ShardView, buffered: number): string {
    for (const { name: replica, isUp, gaps, isAskable } of replicas) {
      if (isAskable) this.up.set(isUp ? 1 : 0, { replica });
      this.gaps.set(gaps.length, { replica });
    }
    this.buffered.set(buffered);
    return this.all.render();
  }
}
