import type { PlacementPlan } from "../../model/placement";
import { tableVersion, type PlacementTable } from "../../model/placement-table";
import type { RingShard } from "../../model/ring";
import { Metrics, type Counter } from "../plumbing/metrics";
import { doubtKinds, type Doubt } from "./doubts";

/** The placement's own metrics. A shard is `target_shard`, as in the exporter's. */
export class PlacementMetrics {
  readonly all = new Metrics();
  readonly #shards: readonly RingShard[];
  readonly #refused: Counter;
  readonly #good: Counter;
  readonly #goodAt: Counter;
  readonly #number: Counter;
  readonly #info: Counter;
  readonly #pins: Counter;
  readonly #failed: Counter;
  readonly #exporters: Counter;
  readonly #keys: Counter;
  readonly #series: Counter;
  readonly #tolerance: Counter;
  readonly #balanced: Counter;
  readonly #movedKeys: Counter;
  readonly #movedSeries: Counter;
  #version: string | undefined;

  constructor(shards: readonly RingShard[]) {
    const { all } = this;
    this.#shards = shards;
    this.#refused = all.counter("placement_input_refused_total", "Looks whose numbers were not believed, by reason.");
    this.#good = all.gauge("placement_input_good", "1 when the last look's numbers were believed; 0: the table stays.");
    this.#goodAt = all.gauge("placement_input_good_timestamp_seconds", "When numbers were believed last; 0: never.");
    this.#number = all.gauge("placement_table_number", "Number of the table that is served.");
    this.#info = all.gauge("placement_table_info", "The ring with the pins that is served; always 1.");
    this.#pins = all.gauge("placement_pins", "Keys that leave their own order.");
    this.#failed = all.gauge("placement_shard_failed", "1 while all exporters are told to pass over a shard.");
    this.#exporters = all.gauge("placement_exporters", "Exporters that answered the last look.");
    this.#keys = all.gauge("placement_keys", "Keys that have series.");
    this.#series = all.gauge("placement_shard_series", "Series that a shard holds by the plan.");
    this.#tolerance = all.gauge("placement_tolerance_series", "Series that a shard may be away from the mean.");
    this.#balanced = all.gauge("placement_balanced", "1 when every shard is within the tolerance.");
    this.#movedKeys = all.counter("placement_moved_keys_total", "Keys that were given to another shard.");
    this.#movedSeries = all.counter("placement_moved_series_total", "Series of these keys.");
    all.addProcess();
    for (const reason of doubtKinds) this.#refused.add(0, { reason });
    for (const metric of [this.#good, this.#goodAt, this.#exporters, this.#movedKeys, this.#movedSeries]) metric.add(0);
  }

  /** A table that is served from now on. */
  tell(table: PlacementTable, now: number): void {
    this.#number.set(table.number);
    const version = tableVersion(table);
    if (this.#version !== undefined) this.#info.delete({ version: this.#version });
    this.#info.set(1, { version });
    this.#version = version;
    this.#pins.set(table.pins.size);
    for (const { index, name } of this.#shards) {
      const isDown = table.failed.some(({ shard, until }) => shard === index && until > now);
      this.#failed.set(isDown ? 1 : 0, { target_shard: name });
    }
  }

  /** A look that was believed, at milliseconds since the epoch. */
  believe(answers: number, now: number): void {
    this.#exporters.set(answers);
    this.#good.set(1);
    this.#goodAt.set(now / 1000);
  }

  /** A look that was not. */
  doubt({ kind }: Doubt, answers: number): void {
    this.#exporters.set(answers);
    this.#good.set(0);
    this.#refused.add(1, { reason: kind });
  }

  /** What was planned by a look. */
  plan(plan: PlacementPlan, keys: number): void {
    this.#keys.set(keys);
    this.#tolerance.set(plan.tolerance);
    this.#balanced.set(plan.isBalanced ? 1 : 0);
    this.#movedKeys.add(plan.moved.length);
    this.#movedSeries.add(plan.movedSeries);
    for (const { index, name } of this.#shards) this.#series.set(plan.series.get(index) ?? 0, { target_shard: name });
  }
}
