import type { ExporterConfig } from "../../model/exporter-config";
import { Metrics, type Counter, type Histogram } from "../plumbing/metrics";
import type { MountedFiles } from "../plumbing/mounted-files";
import type { Tokens } from "./bearer";
import { markedShards } from "./marked-shards";
import type { TlsPair } from "./push-secrets";
import { otherTenants } from "./tenant-limits";

/** Tenants that the metric of refused samples tells apart. */
const namedTenants = 100;

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
  readonly staleMarkers: Counter;
  readonly staleMarkerFailures: Counter;
  readonly staleMarkersDropped: Counter;
  readonly staleMarkersQueued: Counter;
  readonly bufferRefusedSamples: Counter;
  readonly refusedSamples: Counter;
  readonly tenants: Counter;
  readonly #refusedTenants = new Set<string>();
  #update: () => void = () => undefined;

  constructor(config: ExporterConfig) {
    const { all } = this;
    this.pushes = all.counter(
      "exporter_pushes_total",
      "Pushes answered, by status code (gRPC: HTTP's code for its status).",
    );
    this.pushSeconds = all.histogram("exporter_push_duration_seconds", "Time from a push's first byte to its answer.");
    this.receivedBytes = all.counter(
      "exporter_received_bytes_total",
      "Bytes of pushes after gunzip, and of gRPC messages.",
    );
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
    this.bufferRefusedSamples = all.counter(
      "exporter_buffer_refused_samples_total",
      "Samples not taken for a shard because too much of it waits to be stored.",
    );
    this.refusedSamples = all.counter(
      "exporter_tenant_refused_samples_total",
      "Samples refused because their tenant is over a limit.",
    );
    this.tenants = all.gauge("exporter_tenants", "Tenants whose limits are watched.");
    this.staleMarkers = all.counter(
      "exporter_stale_markers_total",
      "Series ended on a shard because their samples went to another, written to its Prometheus.",
    );
    this.staleMarkerFailures = all.counter(
      "exporter_stale_marker_failures_total",
      "Batches of staleness markers that a Prometheus did not take, each try counted.",
    );
    this.staleMarkersDropped = all.counter(
      "exporter_stale_markers_dropped_total",
      "Staleness markers given up: their series may count twice for a lookback.",
    );
    this.staleMarkersQueued = all.gauge("exporter_stale_markers_queued", "Staleness markers that wait to be written.");
    this.tablePulls = all.counter("exporter_table_pulls_total", "Looks at the placement's table, by result.");
    this.tableNumber = all.gauge("exporter_table_number", "Number of the newest table that was taken; 0: none yet.");
    this.tableInfo = all.gauge("exporter_table_info", "The ring with the pins that are in effect; always 1.");
    const ring = all.gauge("exporter_ring_info", "The ring in use; always 1.");
    ring.set(1, { version: config.version, shard_label: config.shardLabel, home_shard: String(config.homeShard) });
    all.gauge("exporter_ring_shards", "Shards in the ring.").set(config.shards.length);
    all.addProcess();
    for (const code of ["200", "400", "413", "429", "503"]) this.pushes.add(0, { code });
    for (const reason of ["future", "old", "conflict", "hub"]) this.rejectedSamples.add(0, { reason });
    for (const plain of [this.receivedBytes, this.inFlightBytes, this.acceptedSamples, this.unplacedSamples])
      plain.add(0);
    for (const { name, hubs } of config.shards) {
      this.failoverSamples.add(0, { target_shard: name });
      this.bufferRefusedSamples.add(0, { target_shard: name });
      for (const { replica } of hubs) {
        const target = { target_shard: name, target_replica: replica };
        const { hubSamples, hubBytes, hubRetries, missedReplicaWrites, missedReplicaSamples } = this;
        for (const metric of [hubSamples, hubBytes, hubRetries, missedReplicaWrites, missedReplicaSamples])
          metric.add(0, target);
        this.hubUp.set(1, target);
      }
    }
    for (const { name, replicas } of markedShards(config)) {
      for (const { replica } of replicas) {
        const { staleMarkers, staleMarkerFailures, staleMarkersDropped, staleMarkersQueued } = this;
        for (const metric of [staleMarkers, staleMarkerFailures, staleMarkersDropped, staleMarkersQueued])
          metric.add(0, { target_shard: name, target_replica: replica });
      }
    }
  }

  /** Shows how the mounted certificate and tokens are; nothing where there are none. */
  watchSecrets(tls: MountedFiles<TlsPair> | undefined, tokens: MountedFiles<Tokens> | undefined): void {
    const files = { certificate: tls, tokens };
    const used = Object.entries(files).flatMap(([what, file]) => (file === undefined ? [] : [{ what, file }]));
    if (used.length === 0) return;
    const stale = this.all.gauge(
      "exporter_push_secret_stale",
      "1 while a changed certificate or token file can't be used, and the one before still is.",
    );
    const notAfter = this.all.gauge("exporter_tls_not_after_timestamp_seconds", "When the certificate in use ends.");
    this.#update = () => {
      for (const { what, file } of used) stale.set(file.isStale ? 1 : 0, { secret: what });
      if (tls !== undefined) notAfter.set(tls.value.notAfter);
    };
  }

  /** Everything in the text format 0.0.4. */
  render(): string {
    this.#update();
    return this.all.render();
  }

  /** Counts samples that were refused for a tenant. Only so many tenants have a series of their own. */
  refuse(tenant: string, reason: string, samples: number): void {
    const isKnown = this.#refusedTenants.has(tenant) || this.#refusedTenants.size < namedTenants;
    if (isKnown) this.#refusedTenants.add(tenant);
    this.refusedSamples.add(samples, { tenant: isKnown ? tenant : otherTenants, reason });
  }
}
