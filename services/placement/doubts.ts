import type { SeriesReport } from "../../model/exporter-reports";
import { MAX_PLACED_KEYS } from "../../model/placement-table";
import type { Survey } from "./exporters";

/** Why numbers are not believed. */
export const doubtKinds = ["exporters", "label", "settling", "keys", "empty", "halved"] as const;

/** A reason to keep the last table. */
export interface Doubt {
  readonly kind: (typeof doubtKinds)[number];
  readonly reason: string;
}

/** What numbers are held against. */
export interface Expectations {
  readonly shardLabel: string;
  /** Exporters that should answer. */
  readonly exporters: number;
  /** Milliseconds that an exporter must have been counting: longer than the time between two pushes of a gateway. */
  readonly settled: number;
  /** Series of the last numbers that were believed; 0: none were. */
  readonly lastTotal: number;
}

/** Part of the series that may be gone from one look to the next. */
const tolerated = 0.5;

/** Why the numbers of a survey are not believed; undefined when they are. */
export function doubtOf(
  survey: Survey<SeriesReport>,
  series: ReadonlyMap<string, number>,
  { shardLabel, exporters, settled, lastTotal }: Expectations,
): Doubt | undefined {
  const { answers, found, problems } = survey;
  if (answers.length < exporters) {
    const counts = `${String(answers.length)} of ${String(Math.max(found, exporters))} exporters answered`;
    return { kind: "exporters", reason: [counts, ...problems].join("; ") };
  }
  const other = answers.find((report) => report.shardLabel !== shardLabel);
  if (other !== undefined) {
    return { kind: "label", reason: `an exporter counts by ${other.shardLabel}, not by ${shardLabel}` };
  }
  const shortest = Math.min(...answers.map((report) => report.coveredMilliseconds));
  if (shortest < settled) {
    return { kind: "settling", reason: `an exporter has been counting for ${String(shortest)} ms only` };
  }
  const uncounted = answers.reduce((sum, report) => sum + report.uncountedSeries, 0);
  if (uncounted > 0) {
    return { kind: "keys", reason: `${String(uncounted)} series belong to more keys than are counted` };
  }
  // Each exporter may have seen others. One more is the empty key.
  if (series.size > MAX_PLACED_KEYS + 1) {
    return { kind: "keys", reason: `${String(series.size)} keys: more than the ${String(MAX_PLACED_KEYS)} of a table` };
  }
  const total = totalOf(series);
  // Nothing yet is no wonder where nothing was.
  if (total === 0 && lastTotal > 0) return { kind: "empty", reason: `no series, and ${String(lastTotal)} before` };
  if (total < lastTotal * tolerated) {
    return { kind: "halved", reason: `${String(total)} series, and ${String(lastTotal)} before` };
  }
  return undefined;
}

/** Series of all keys. */
export function totalOf(series: ReadonlyMap<string, number>): number {
  return [...series.values()].reduce((sum, each) => sum + each, 0);
}
