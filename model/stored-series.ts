/**
 * How a pushed series is called once its shard's Prometheus has scraped it from the hub: what the scrape job of
 * stacks/prometheus-plan.ts makes of its labels. Staleness markers are written for a series by its stored name, so the
 * two must agree; test/unit/services/exporter/moves.real.test.ts holds them together with a real Prometheus.
 */

/** A label. */
export type Label = readonly [name: string, value: string];

/** What the scrape job puts on every series of a shard. */
export interface ShardLabels {
  /** `clusterLabel` of the stack. */
  readonly cluster: string;
  /** Number of the shard. */
  readonly shard: string;
}

/** Target labels, shorter names first: the order in which Prometheus makes way for them. */
const targetLabels = ["job", "shard", "cluster", "instance"];

/**
 * Labels of the stored series, by name in the order of their bytes.
 * @param pushed Labels as pushed, `__name__` among them, none of them empty.
 */
export function storedLabels(pushed: Iterable<Label>, { cluster, shard }: ShardLabels): readonly Label[] {
  const labels = new Map<string, string>(pushed);
  const displaced = targetLabels.flatMap((name) => {
    const value = labels.get(name);
    labels.set(name, "target");
    return value === undefined ? [] : [[name, value] as const];
  });
  // With honor_labels off, a pushed label that a target label displaces goes to the first free `exported_` name.
  for (const [name, value] of displaced) {
    let free = `exported_${name}`;
    while (labels.has(free)) free = `exported_${free}`;
    labels.set(free, value);
  }
  restore(labels, "job");
  restore(labels, "instance");
  labels.set("cluster", cluster).set("shard", shard);
  return [...labels].sort(([left], [right]) => (left < right ? -1 : 1));
}

/** The rules of `restorePushed`, one after the other. */
function restore(labels: Map<string, string>, label: string): void {
  const exported = `exported_${label}`;
  const twice = `exported_${exported}`;
  const value = labels.get(twice) ?? labels.get(exported);
  labels.delete(label);
  if (value !== undefined) labels.set(label, value);
  if (!labels.has(twice)) labels.delete(exported);
  labels.delete(twice);
}
