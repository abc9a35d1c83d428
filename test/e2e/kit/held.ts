import { expect } from "vitest";
import { PORTS, prometheusName, type ReplicaLetter } from "../../../model/names";
import { PortForward } from "../../../tools/port-forward";
import { PrometheusApi, type MatrixSeries } from "../../../tools/prometheus-api";
import { until } from "./wait";

/** What one Prometheus itself holds of a selector, by labels. */
export async function heldBy(
  namespace: string,
  shard: number,
  replica: ReplicaLetter,
  selector: string,
): Promise<ReadonlyMap<string, MatrixSeries["values"]>> {
  const resource = `pod/${prometheusName(shard, replica)}-0`;
  const forward = await PortForward.open({ target: { namespace }, resource, remotePort: PORTS.gate });
  try {
    const answer = await new PrometheusApi(forward.url).query(`${selector}[1h]`, Date.now() + 60_000);
    if (answer.type !== "matrix") throw new Error(`${selector} gave a ${answer.type}`);
    return new Map(answer.series.map(({ labels, values }) => [JSON.stringify(Object.entries(labels).sort()), values]));
  } finally {
    await forward.close();
  }
}

/** Waits until both replicas of a shard hold the same samples of a selector. */
export async function sameOnBoth(namespace: string, shard: number, selector: string, seconds: number): Promise<void> {
  await until(`the same ${selector} on both replicas of shard ${String(shard)}`, { seconds }, async () => {
    const [a, b] = [await heldBy(namespace, shard, "a", selector), await heldBy(namespace, shard, "b", selector)];
    expect(b).toEqual(a);
    return true;
  });
}

/** Samples by series (labels without the shard) and timestamp, as one replica of a shard holds them. */
type Held = ReadonlyMap<string, ReadonlyMap<number, number>>;

async function bySeries(namespace: string, shard: number, replica: ReplicaLetter, selector: string): Promise<Held> {
  const held = await heldBy(namespace, shard, replica, selector);
  return new Map(
    [...held].map(([labels, values]) => {
      const pairs = JSON.parse(labels) as readonly (readonly [string, string])[];
      return [JSON.stringify(pairs.filter(([name]) => name !== "shard")), new Map(values)];
    }),
  );
}

/** `series timestamp value` of what one holds and the other does not. */
function onlyIn(one: Held, other: Held): readonly string[] {
  return [...one].flatMap(([series, values]) =>
    [...values]
      .filter(([at, value]) => !Object.is(other.get(series)?.get(at), value))
      .map(([at, value]) => `${series} ${String(at)} ${String(value)}`),
  );
}

/**
 * Waits until whatever only one replica of a shard holds is held by both replicas of another: it was in a push that got an
 * error, which a hub took all the same, and the client's next try went to the other shard.
 */
export async function sameButRepeated(
  namespace: string,
  shards: readonly number[],
  selector: string,
  seconds: number,
): Promise<void> {
  await until(`the same ${selector} on both replicas, or on another shard`, { seconds }, async () => {
    const pairs = await Promise.all(
      shards.map(async (shard) => ({
        shard,
        a: await bySeries(namespace, shard, "a", selector),
        b: await bySeries(namespace, shard, "b", selector),
      })),
    );
    const lone = pairs.map(({ shard, a, b }) => ({ shard, samples: [...onlyIn(a, b), ...onlyIn(b, a)] }));
    for (const { shard, samples } of lone) {
      const others = pairs.filter((pair) => pair.shard !== shard);
      const empty: Held = new Map();
      const elsewhere = others.map(({ a, b }) => [new Set(onlyIn(a, empty)), new Set(onlyIn(b, empty))] as const);
      const lost = samples.filter((sample) => !elsewhere.some(([a, b]) => a.has(sample) && b.has(sample)));
      expect(lost.slice(0, 5), `on one replica of shard ${String(shard)} only, and on no other shard`).toEqual([]);
    }
    return true;
  });
}
