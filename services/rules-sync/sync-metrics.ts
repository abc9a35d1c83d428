import { Metrics, type Counter } from "../plumbing/metrics";

/** Own metrics of rules-sync. */
export class SyncMetrics {
  readonly all = new Metrics();
  readonly reloads: Counter;
  readonly lastSuccess: Counter;
  readonly upToDate: Counter;

  constructor() {
    this.reloads = this.all.counter("rules_sync_reloads_total", "Reloads asked for, by whether they succeeded.");
    this.lastSuccess = this.all.gauge("rules_sync_last_success_timestamp_seconds", "When a reload last succeeded.");
    this.upToDate = this.all.gauge("rules_sync_up_to_date", "1 while the program runs with the files that are there.");
    for (const result of ["success", "failure"]) this.reloads.add(0, { result });
    this.upToDate.set(0);
    this.all.addProcess();
  }

  succeeded(now = Date.now()): void {
    this.reloads.add(1, { result: "success" });
    this.lastSuccess.set(now / 1000);
    this.upToDate.set(1);
  }

  failed(): void {
    this.reloads.add(1, { result: "failure" });
    this.upToDate.set(0);
  }
}
