import type { Label } from "../../model/stored-series";

/** One line: the series as it was pushed, and from when on it no longer counts here. */
export interface MarkerLine {
  /** `__name__` first, then the labels as written. */
  readonly labels: readonly Label[];
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** A line that can't be read. */
export class MarkerLineError extends Error {}

const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])+)"(,|\})/y;
const time = / ([0-9]{1,15})\n/y;

/**
 * Reads lines `name{a="x",b="y"} 1767225600123\n`: the exporter's canonical lines without their values.
 * @throws MarkerLineError with the number of the first line that is written otherwise.
 */
export function readMarkerLines(text: string): readonly MarkerLine[] {
  const lines: MarkerLine[] = [];
  let at = 0;
  const next = (pattern: RegExp, what: string): RegExpExecArray => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) throw new MarkerLineError(`line ${String(lines.length + 1)}: expected ${what}`);
    at = pattern.lastIndex;
    return found;
  };
  while (at < text.length) {
    const labels = new Map([["__name__", next(metricName, "a metric name")[0]]]);
    if (text[at] === "{") {
      at += 1;
      for (let end = ","; end === ",";) {
        const [, name = "", value = "", last = ""] = next(label, "a label");
        if (labels.has(name))
          throw new MarkerLineError(`line ${String(lines.length + 1)}: label ${name} is there twice`);
        labels.set(
          name,
          value.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped)),
        );
        end = last;
      }
    }
    const [, digits] = next(time, "a blank, a time in milliseconds and the end of the line");
    lines.push({ labels: [...labels], timestamp: Number(digits) });
  }
  return lines;
}
