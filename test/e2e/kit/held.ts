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
