/** What must be stored, according to a ledger: the samples of a run, and how sure that is. */

import type { Fleet, Gateway, Series } from "../feed/fleet";
import { makeFleet } from "../feed/fleet";
import type { LedgerContents } from "../feed/ledger";
import { renderPush } from "../feed/render";
import { valueAt } from "../feed/values";
import type { Point } from "./promql-math";

/** A push of one gateway. `maybe`: it was sent, but not acknowledged (or not long enough ago to be readable yet). */
export interface StoredPush {
  readonly timestamp: number;
  readonly state: "stored" | "maybe";
  readonly rejectedLines: ReadonlySet<number>;
}

/** A series with its samples in a window. */
export interface StoredSeries {
  readonly series: Series;
  readonly points: readonly Point[];
}

interface MutablePush {
  acknowledgedAt: number | undefined;
  rejectedLines: ReadonlySet<number>;
}

/** The samples of a run. Windows are (start, end], as Prometheus 3 reads them. */
export class Stored {
  readonly fleet: Fleet;
  /** First and last timestamp (ms) of the acknowledged pushes; undefined without any. */
  readonly span: { readonly first: number; readonly last: number } | undefined;
  /** When (ms of the wall clock) the last acknowledgement came; 0 without any. */
  readonly lastAcknowledgement: number;
  /** Timestamps of acknowledged pushes, ascending, each once. */
  readonly timestamps: readonly number[];
  private readonly pushes = new Map<number, Map<number, MutablePush>>();

  constructor(contents: LedgerContents) {
    this.fleet = makeFleet(contents.header.fleet, contents.header.run);
    let lastAcknowledgement = 0;
    const timestamps = new Set<number>();
    for (const record of contents.records) {
      const ofGateway = this.pushes.get(record.g) ?? new Map<number, MutablePush>();
      this.pushes.set(record.g, ofGateway);
      const push = ofGateway.get(record.t) ?? { acknowledgedAt: undefined, rejectedLines: new Set() };
      ofGateway.set(record.t, push);
      if (record.kind !== "ack") continue;
      push.acknowledgedAt = record.at;
      push.rejectedLines = new Set(record.rejected?.map(({ line }) => line) ?? []);
      lastAcknowledgement = Math.max(lastAcknowledgement, record.at);
      timestamps.add(record.t);
    }
    this.lastAcknowledgement = lastAcknowledgement;
    this.timestamps = [...timestamps].sort((left, right) => left - right);
    const first = this.timestamps[0];
    const last = this.timestamps.at(-1);
    this.span = first === undefined || last === undefined ? undefined : { first, last };
  }

  /** Pushes of a gateway in (start, end]; acknowledged after `settledBefore` (ms of the wall clock) counts as maybe. */
  pushesOf(gateway: Gateway, start: number, end: number, settledBefore: number): readonly StoredPush[] {
    const found: StoredPush[] = [];
    for (const [timestamp, push] of this.pushes.get(gateway.index) ?? []) {
      if (timestamp <= start || timestamp > end) continue;
      const settled = push.acknowledgedAt !== undefined && push.acknowledgedAt <= settledBefore;
      found.push({ timestamp, state: settled ? "stored" : "maybe", rejectedLines: push.rejectedLines });
    }
    return found.sort((left, right) => left.timestamp - right.timestamp);
  }

  /** Series of a gateway with their samples from `pushes`, by key. `wanted` leaves series out. */
  seriesOf(
    gateway: Gateway,
    pushes: readonly StoredPush[],
    wanted: (series: Series) => boolean = () => true,
  ): ReadonlyMap<string, StoredSeries> {
    const found = new Map<string, { series: Series; points: Point[] }>();
    for (const push of pushes) {
      const rejected = rejectedSeries(this.fleet, gateway, push);
      for (const series of this.fleet.seriesAt(gateway, push.timestamp)) {
        if (!wanted(series) || rejected.has(series.key)) continue;
        const entry = found.get(series.key) ?? { series, points: [] };
        found.set(series.key, entry);
        entry.points.push([push.timestamp, valueAt(series, push.timestamp)]);
      }
    }
    return found;
  }

  /** Each series' latest sample from `pushes`, by key: what an instant query sees. */
  latestOf(
    gateway: Gateway,
    pushes: readonly StoredPush[],
  ): ReadonlyMap<string, { series: Series; timestamp: number }> {
    const found = new Map<string, { series: Series; timestamp: number }>();
    for (const push of pushes) {
      const rejected = rejectedSeries(this.fleet, gateway, push);
      for (const series of this.fleet.seriesAt(gateway, push.timestamp)) {
        if (!rejected.has(series.key)) found.set(series.key, { series, timestamp: push.timestamp });
      }
    }
    return found;
  }
}

function rejectedSeries(fleet: Fleet, gateway: Gateway, push: StoredPush): ReadonlySet<string> {
  if (push.rejectedLines.size === 0) return new Set();
  const rendered = renderPush(fleet, gateway, push.timestamp);
  const keys = [...push.rejectedLines].map((line) => rendered.seriesOfLine(line)?.key);
  return new Set(keys.filter((key) => key !== undefined));
}
