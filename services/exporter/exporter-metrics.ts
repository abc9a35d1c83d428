import type { ExporterConfig } from "../../model/exporter-config";
import { Metrics, type Counter, type Histogram } from "../plumbing/metrics";

/**
 * The exporter's own metrics. Shard and replica that a push went to are `target_shard` and `target_replica`: `shard` is a
 * target label of everything that is scraped here.
 */
export class ExporterMetrics {
  readonly all = new Metrics();
  readonly pushes: Counter;
  readonly pushSeconds: Histogram;
  readonly receivedBytes: Counter;
  readonly inFlightBytes: Counter;
  readonly acceptedSamples: Counter;
  readonly rejectedSamples: Counter;
  readonly unplacedSamples: Counter;
  readonly hubSamples: Counter;
  readonly hubBytes: Counter;
  readonly hubSeconds: Histogram;
  readonly hubFailures: Counter;
  readonly hubRetries: Counter;
  readonly hubUp: Counter;
  readonly missedReplicaWrites: Counter;
  readonly missedReplicaSamples: Counter;
  readonly failoverSamples: Counter;
  /** Only where there is a table of placements, as the next two. */
  readonly tablePulls: Counter;
  readonly tableNumber: Counter;
  readonly tableInfo: Counter;

  constructor(config: ExporterConfig) {
    const { all } = this;
    this.pushes = all.counter("exporter_pushes_total", "Pushes answered, by status code.");
    this.pushSeconds = all.histogram("exporter_push_duration_seconds", "Time from a push's first byte to its answer.");
    this.receivedBytes = all.counter("exporter_received_bytes_total", "Bytes of pushes after gunzip.");
    this.inFlightBytes = all.gauge("exporter_in_flight_bytes", "Bytes of the pushes in hand.");
    this.acceptedSamples = all.counter("exporter_samples_accepted_total", "Samples acknowledged.");
    this.rejectedSamples = all.counter("exporter_samples_rejected_total", "Samples refused one by one, by reason.");
    this.unplacedSamples = all.counter("exporter_samples_unplaced_total", "Samples that no shard took (answer 503).");
    this.hubSamples = all.counter("exporter_hub_samples_total", "Samples that a hub took.");
    this.hubBytes = all.counter("exporter_hub_bytes_total", "Bytes that a hub took.");
    this.hubSeconds = all.histogram("exporter_hub_push_duration_seconds", "Duration of pushes to a hub.");
    this.hubFailures = all.counter("exporter_hub_failures_total", "Failed pushes to a hub, by reason.");
    this.hubRetries = all.counter("exporter_hub_retries_total", "Pushes repeated because a kept connection was lost.");
    this.hubUp = all.gauge("exporter_hub_up", "0 while a hub is left alone because its pushes failed.");
    this.missedReplicaWrites = all.counter(
      "exporter_missed_replica_writes_total",
      "Writes that a hub missed while another replica of its shard took them.",
    );
    this.missedReplicaSamples = all.counter(
      "exporter_missed_replica_samples_total",
      "Samples that a hub missed while another replica of its shard took them.",
    );
    this.failoverSamples = all.counter(
      "exporter_failover_samples_total",
      "Samples that a failed shard gave to the next.",
    );
    this.tablePulls = all.counter("exporter_table_pulls_total", "Looks at the placement's table, by result.");
    this.tableNumber = all.gauge("exporter_table_number", "Number of the newest table that was taken; 0: none yet.");
    this.tableInfo = all.gauge("exporter_table_info", "The ring with the pins that are in effect; always 1.");
    const ring = all.gauge("exporter_ring_info", "The ring in use; always 1.");
    ring.set(1, { version: config.version, shard_label: config.shardLabel, home_shard: String(config.homeShard) });
    all.gauge("exporter_ring_shards", "Shards in the ring.").set(config.shards.length);
    all.addProcess();
    for (const code of ["200", "400", "413", "503"]) this.pushes.add(0, { code });
    for (const reason of ["future", "old", "conflict", "hub"]) this.rejectedSamples.add(0, { reason });
    for (const plain of [this.receivedBytes, this.inFlightBytes, this.acceptedSamples, this.unplacedSamples])
      plain.add(0);
    for (const { name, hubs } of config.shards) {
      this.failoverSamples.add(0, { target_shard: name });
      for (const { replica } of hubs) {
        const target = { target_shard: name, target_replica: replica };
        const { hubSamples, hubBytes, hubRetries, missedReplicaWrites, missedReplicaSamples } = this;
        for (const metric of [hubSamples, hubBytes, hubRetries, missedReplicaWrites, missedReplicaSamples]) {
          metric.add(0, target);
        }
        this.hubUp.set(1, target);
      }
    }
  }
}
