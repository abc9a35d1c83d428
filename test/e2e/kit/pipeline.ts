import { NAMES, PORTS } from "../../../model/names";
import { shardOrder } from "../../../model/ring";
import { PortForward } from "../../../tools/port-forward";
import { PrometheusApi, type Labels } from "../../../tools/prometheus-api";
import { send, type PushAnswer } from "./push";
import { until } from "./wait";

let markers = 0;

/** Tunnels to a running pipeline. */
export class Pipeline {
  private constructor(
    readonly namespace: string,
    private readonly pushes: PortForward,
    private readonly queries: PortForward,
    /** The root. */
    readonly api: PrometheusApi,
  ) {}

  static async open(namespace: string): Promise<Pipeline> {
    const target = { namespace };
    const [pushes, queries] = await Promise.all([
      PortForward.open({ target, resource: `svc/${NAMES.exporter}`, remotePort: PORTS.push }),
      PortForward.open({ target, resource: `svc/${NAMES.query}`, remotePort: PORTS.query }),
    ]);
    return new Pipeline(namespace, pushes, queries, new PrometheusApi(queries.url));
  }

  /** Address of the exporter. */
  get pushUrl(): string {
    return this.pushes.url;
  }

  async close(): Promise<void> {
    await Promise.all([this.pushes.close(), this.queries.close()]);
  }

  push(body: string | Buffer): Promise<PushAnswer> {
    return send(this.pushUrl, { body });
  }

  /** Every series of a selector with the values of the last five minutes; labels with the metric's name. */
  async series(selector: string): Promise<readonly { readonly labels: Labels; readonly values: readonly number[] }[]> {
    const answer = await this.api.query(`${selector}[5m]`, Date.now() + 60_000);
    if (answer.type !== "matrix") throw new Error(`${selector} gave a ${answer.type}`);
    return answer.series.map(({ labels, values }) => ({ labels, values: values.map(([, value]) => value) }));
  }

  /**
   * Waits until the root counts a selector without an error: after a restart it takes seconds until it has found every
   * endpoint again.
   */
  async answersAgain(selector: string): Promise<void> {
    await until(`an answer of the root to count(${selector})`, { seconds: 60 }, async () => {
      await this.api.query(`count(${selector})`);
      return true;
    });
  }

  /**
   * Pushes one marker to every shard (and to the home shard, as a series without a key) and waits until all of them are
   * readable: whatever was acknowledged before can be read from now on.
   */
  async settle(shards: number): Promise<void> {
    const marker = `e2e_marker_${String(Date.now())}_${String((markers += 1))}`;
    const keys = [...Array.from({ length: shards }, (_, shard) => keyOfShard(shard, shards)), ""];
    const lines = keys.map((key) => `${marker}{gatewayID="${key}"} 1 ${String(Date.now())}\n`);
    const answer = await this.push(lines.join(""));
    if (answer.status !== 200) throw new Error(`the marker was refused: ${String(answer.status)} ${answer.text}`);
    await until(`marker ${marker} on every shard`, { seconds: 60 }, async () => {
      return (await this.series(marker)).length === keys.length;
    });
  }
}

/** A value of `gatewayID` that the ring of `shards` shards gives to `shard`. */
export function keyOfShard(shard: number, shards: number, prefix = "e2e"): string {
  const ring = Array.from({ length: shards }, (_, index) => ({ index, name: `shard-${String(index)}` }));
  for (let number = 0; ; number++) {
    const key = `${prefix}-${String(number)}`;
    if (shardOrder({ homeShard: 0, shards: ring }, key)[0]?.index === shard) return key;
  }
}
