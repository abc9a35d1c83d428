/** One push: the text exposition (format 0.0.4) of everything that a gateway reports at one timestamp. */

import type { Fleet, Gateway, Series } from "./fleet";
import { valueAt } from "./values";

/** A value as the text format writes it; round-trips exactly. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

/** A body, and for each of its lines (counted from 1) the series that it holds; TYPE lines hold none. */
export interface Push {
  readonly body: string;
  readonly samples: number;
  seriesOfLine(line: number): Series | undefined;
}

/** Renders what `gateway` pushes at `timestamp` (ms). The same arguments give the same bytes. */
export function renderPush(fleet: Fleet, gateway: Gateway, timestamp: number): Push {
  const series = fleet.seriesAt(gateway, timestamp);
  const lines: string[] = [];
  const byLine = new Map<number, Series>();
  let family = "";
  for (const one of series) {
    if (one.family !== family) {
      family = one.family;
      lines.push(`# TYPE ${family} ${one.kind.type}`);
    }
    lines.push(`${one.key} ${formatValue(valueAt(one, timestamp))} ${String(timestamp)}`);
    byLine.set(lines.length, one);
  }
  return { body: `${lines.join("\n")}\n`, samples: series.length, seriesOfLine: (line) => byLine.get(line) };
}
