import { Metrics, type Counter, type Histogram } from "../plumbing/metrics";

/** The gate's own metrics; `route` is a path of the allow-list, so there are few of them. */
export class GateMetrics {
  readonly all = new Metrics();
  readonly requests: Counter;
  readonly refused: Counter;
  readonly upstreamFailures: Counter;
  readonly seconds: Histogram;
  readonly inFlight: Counter;
  readonly markers: Counter;

  constructor() {
    const { all } = this;
    this.requests = all.counter("gate_requests_total", "Requests passed on, by route and status code of the answer.");
    this.refused = all.counter("gate_refused_total", "Requests that are not on the list.");
    this.upstreamFailures = all.counter("gate_upstream_failures_total", "Requests that Prometheus did not answer.");
    this.seconds = all.histogram(
      "gate_request_duration_seconds",
      "Time from a request's head to the end of its answer.",
    );
    this.inFlight = all.gauge("gate_in_flight_requests", "Requests in hand.");
    this.markers = all.counter(
      "gate_stale_markers_total",
      "Staleness markers of exporters, two per series, by result: written, or refused by Prometheus.",
    );
    for (const result of ["written", "refused"]) this.markers.add(0, { result });
    for (const plain of [this.refused, this.upstreamFailures, this.inFlight]) plain.add(0);
    all.addProcess();
  }
}
