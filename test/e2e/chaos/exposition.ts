/** What the exporters say of themselves, and how much of it a fault has raised. */

/** Values by pod and series, as `/metrics` writes it. */
export type Readings = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Series of an exposition with their values. */
export function readingsOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))] as const;
    }),
  );
}

/** By how much counters whose series match have grown over all pods; a pod that was started again counts from 0. */
export function risen(before: Readings, after: Readings, series: RegExp): number {
  let total = 0;
  for (const [pod, values] of after) {
    for (const [key, value] of values) {
      if (!series.test(key)) continue;
      const earlier = before.get(pod)?.get(key) ?? 0;
      total += value >= earlier ? value - earlier : value;
    }
  }
  return total;
}
