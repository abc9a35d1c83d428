/** Queries that a leaf answers wrongly, and without a word. Pure. */

/** Strings of PromQL: what stands in them is no function and no label. */
const strings = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g;

/** Why a leaf can't be asked. */
export interface Wrong {
  /** In words, with what to do instead. */
  readonly text: string;
  /** Its answer is right all the same when it has no series that the query selects. */
  readonly needsSeries: boolean;
}

/**
 * Why a leaf can't be asked. Undefined when it can.
 * - `resets()` finds none in what Thanos reads through its Store API: resets are taken out of counters on the way
 *   (thanos-io/thanos#3644).
 * - A matcher on the replica label selects replicas there, before they are merged. Series of a Prometheus don't have it.
 */
export function wrongAtLeaf(query: string, replicaLabel: string): Wrong | undefined {
  const code = query.replaceAll(strings, (text) => (text.slice(1, -1) === replicaLabel ? replicaLabel : '""'));
  const isMatched = [...code.matchAll(/\b(\w+)\s*(?:=~|!~|!=|=)/g)].some(([, label]) => label === replicaLabel);
  if (isMatched) {
    const text = `${replicaLabel} is no label of any series, and a matcher on it would leave samples out here: take it out of the query`;
    return { text, needsSeries: false };
  }
  if (!/\bresets\s*\(/.test(code)) return undefined;
  const text =
    "resets() would be too small here, because Thanos takes resets out of counters that it merges: ask over a range that one replica holds";
  return { text, needsSeries: true };
}
