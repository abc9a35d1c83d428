import type { Counter } from "../plumbing/metrics";
import { ProxyMetrics } from "../plumbing/forward";

/** The gate's own metrics: those of a proxy, and staleness markers. */
export class GateMetrics extends ProxyMetrics {
  readonly markers: Counter;

  constructor() {
    super();
    this.markers = this.all.counter(
      "gate_stale_markers_total",
      "Staleness markers of exporters, two per series, by result: written, or refused by Prometheus.",
    );
    for (const result of ["written", "refused"]) this.markers.add(0, { result });
  }
}
