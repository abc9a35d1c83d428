import { beforeAll, expect, test } from "vitest";
import { NAMES } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { form } from "../kit/form";
import { restartsIn } from "../kit/objects";
import type { EarlyWorld } from "../kit/suite";
import { until } from "../kit/wait";
import { stack, type MonitoringWorld } from "./monitoring-world";

/** Tests of what watches the pipeline, on a dev stack of their own. */
export function monitoringTests({ made, world }: EarlyWorld<MonitoringWorld>): void {
  beforeAll(made);

  test("every part of two shards of two replicas is scraped", async () => {
    const expected = {
      prometheus: 4,
      gate: 4,
      hub: 4,
      sidecar: 4,
      exporter: 1,
      querier: 1,
      "root-gate": 1,
      "query-frontend": 2,
      // Two of each shard, and of the Rulers.
      leaf: 6,
      adapter: 6,
      ruler: 2,
      store: 3,
      compactor: 1,
      configmanager: 1,
      alertmanager: 1,
      monitoring: 1,
    };
    await until("every part to answer", { seconds: 90, everyMilliseconds: 1_000 }, async () => {
      const { samples } = await world().api("monitoring").vector("count by (job) (up == 1)");
      const answering = Object.fromEntries(samples.map(({ labels, value }) => [labels["job"] ?? "", value]));
      expect(answering).toMatchObject(expected);
      return true;
    });
  });

  test("every expression of every panel returns data under the feed", async () => {
    const expressions = world().expressions();
    expect(expressions.length).toBeGreaterThan(35);
    // All of them in each round: panels about queries have data only once somebody asks the root.
    let empty = expressions;
    const isFilled = async () => {
      const counts = await Promise.all(empty.map((each) => world().count(each)));
      empty = empty.filter((_, index) => counts[index] === 0);
      if (empty.length === 0) return true;
      throw new Error(empty.map(({ dashboard, panel, expr }) => `${dashboard}, ${panel}: ${expr}`).join("\n"));
    };
    // Rates need two scrapes after the first push or query.
    await until("data for every panel", { seconds: 90, everyMilliseconds: 2_000 }, isFilled);
  });

  test("every alert is evaluated, and none fires in a pipeline that is well", async () => {
    expect(await world().unhealthyRules()).toEqual([]);
    const firing = await world().api("monitoring").vector('ALERTS{alertstate="firing"}');
    expect(firing.samples.map(({ labels }) => labels)).toEqual([]);
    expect(await restartsIn(stack)).toEqual([]);
  });

  test("pods of the dev stack with everything on, and the cluster's own, fit into 8 GB with its control plane", async () => {
    const mebibytes = (await world().podMemory()) / 2 ** 20;
    process.stderr.write(`    all pods: ${mebibytes.toFixed(0)} MiB\n`);
    // The processes of the node (API server, etcd, kubelet, containerd ...) took 1.1 GB when this was written.
    expect(mebibytes).toBeGreaterThan(100);
    expect(mebibytes).toBeLessThan(6 * 1_024);
  });

  test.runIf(form === "long")("the loss of the exporters reaches Alertmanager", async () => {
    const scale = (replicas: number) =>
      kubectl({ namespace: stack }, ["scale", "deployment", NAMES.exporter, `--replicas=${String(replicas)}`]);
    await scale(0);
    try {
      const isTold = async () =>
        (await world().alerts()).some(({ alertname, part }) => alertname === "PartDown" && part === "exporter");
      await until("PartDown in Alertmanager", { seconds: 300, everyMilliseconds: 2_000 }, isTold);
    } finally {
      await scale(1);
    }
  });
}
