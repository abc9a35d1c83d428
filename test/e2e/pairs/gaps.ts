import { BATCH_METRIC, PORTS, type ReplicaLetter } from "../../../model/names";
import { PortForward } from "../../../tools/port-forward";
import type { MatrixSeries } from "../../../tools/prometheus-api";
import { until } from "../kit/wait";
import { killHub, podsOf } from "./pods";
import { stack, type World } from "./world";

/** Writes that one replica of a shard has and the other has not, and who answers then. */

/** Numbers of writes by exporter, as a Prometheus holds them. */
type Held = ReadonlyMap<string, MatrixSeries["values"]>;

/** When (ms) the writes were made that `theirs` has and `mine` has not, ascending. */
export function lacking(mine: Held, theirs: Held): readonly number[] {
  const own = new Map([...mine].map(([series, values]) => [series, new Set(values.map(([, number]) => number))]));
  const missing = [...theirs].flatMap(([series, values]) =>
    values.flatMap(([time, number]) => (own.get(series)?.has(number) === true ? [] : [time])),
  );
  return missing.sort((left, right) => left - right);
}

const other = (replica: ReplicaLetter): ReplicaLetter => (replica === "a" ? "b" : "a");

/** When the writes were made that a replica lacks. */
export async function gapsOf(world: World, shard: number, replica: ReplicaLetter): Promise<readonly number[]> {
  const mine = await world.held(shard, replica, BATCH_METRIC);
  return lacking(mine, await world.held(shard, other(replica), BATCH_METRIC));
}

/** Waits until a replica holds a write that was made from now on. */
async function takesWrites(world: World, shard: number, replica: ReplicaLetter): Promise<void> {
  const since = Date.now();
  await until(`a new write on replica ${replica}`, { seconds: 60 }, async () => {
    const held = await world.held(shard, replica, BATCH_METRIC);
    return [...held.values()].some((values) => values.some(([time]) => time >= since));
  });
}

/**
 * Kills a replica's hub and the exporters under a feed, between a push and the scrape that would have fetched it, until the
 * replica lacks something that nobody will send it again; gives when (ms) the writes were made that it lacks now. Both hubs take writes again when it is done.
 */
export async function makeGap(world: World, shard: number, replica: ReplicaLetter): Promise<readonly number[]> {
  const since = Date.now();
  for (let attempt = 1; attempt <= 3; attempt++) {
    await killHub(shard, replica, true);
    await takesWrites(world, shard, replica);
    // The other one may be a scrape behind.
    await takesWrites(world, shard, other(replica));
    // What was pushed just before the kill.
    const gaps = (await gapsOf(world, shard, replica)).filter((time) => time >= since - 5_000);
    if (gaps.length > 0) return gaps;
  }
  throw new Error(
    `three kills of the hub of shard ${String(shard)}, replica ${replica}, and the exporters have cost it no write`,
  );
}

/** Calls that the adapters of a shard have answered so far, by who knew the answer. */
export interface Answered {
  readonly prometheus: number;
  readonly leaf: number;
}

/** Adds up `adapter_queries_total` of metrics pages. */
export function answeredBy(pages: readonly string[]): Answered {
  const total = (via: string) =>
    pages
      .flatMap((page) => [...page.matchAll(new RegExp(`^adapter_queries_total\\{via="${via}"\\} (\\S+)$`, "gm"))])
      .reduce((sum, [, value]) => sum + Number(value), 0);
  return { prometheus: total("prometheus"), leaf: total("leaf") };
}

/** What the adapters of a shard have answered since they started. */
export async function answeredFor(shard: number): Promise<Answered> {
  const pods = await podsOf({ component: "leaf", shard });
  const pages = await Promise.all(
    pods.map(async ({ name }) => {
      const resource = `pod/${name}`;
      const forward = await PortForward.open({ target: { namespace: stack }, resource, remotePort: PORTS.ops });
      try {
        return await (await fetch(`${forward.url}/metrics`)).text();
      } finally {
        await forward.close();
      }
    }),
  );
  return answeredBy(pages);
}
