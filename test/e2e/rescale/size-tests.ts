import { expect, test } from "vitest";
import type { Labels, QueryResult } from "../../../tools/prometheus-api";
import { check, disagreements } from "../kit/checker";
import { until } from "../kit/wait";
import { stackConfig, stacks, type World } from "./world";

/** Questions that every size answers alike, at an instant and over a range. */
const questions: readonly string[] = [
  `count({feed_run!=""})`,
  `sum by (networkID) (ue_attach_total)`,
  `avg_over_time(cpu_percent[5m])`,
  `max_over_time(sum(ue_registered)[5m:30s])`,
  `ue_registered offset 1m`,
  `absent(nothing_of_the_kind)`,
  `label_replace(mem_available_bytes, "gw", "$1", "gatewayID", "(.*)")`,
  `stddev(cpu_percent) by (service)`,
];

/**
 * Asked at instants only. A Thanos Querier adds up counter resets over all that a range query reads (pkg/query/iter.go,
 * Aggr_COUNTER), so that a counter is never near zero again, where Prometheus extrapolates less: after a reset, steps
 * of a range query differ for as long as the window.
 */
const rates: readonly string[] = [
  `topk(5, sum by (gatewayID) (rate(ue_attach_total[2m])))`,
  `sum by (networkID) (increase(session_create_total[2m]))`,
  `histogram_quantile(0.9, sum by (le) (rate(attach_duration_seconds_bucket[2m])))`,
];

/** Seconds between two points of a range query; 180 s are a multiple of it. */
const rangeStep = 15;

const text = (labels: Labels): string => JSON.stringify(Object.entries(labels).sort());

/** An answer without the order of its series and what the last digits of a sum depend on. */
function canonical(result: QueryResult): readonly string[] {
  switch (result.type) {
    case "vector":
      return result.samples.map(({ labels, value }) => `${text(labels)} ${value.toPrecision(12)}`).sort();
    case "matrix":
      return result.series
        .map(
          ({ labels, values }) =>
            `${text(labels)} ${values.map(([at, value]) => `${String(at)}:${value.toPrecision(12)}`).join(" ")}`,
        )
        .sort();
    case "scalar":
      return [result.value.toPrecision(12)];
    case "string":
      return [result.text];
  }
}

/** single -> createThanos with one shard -> three shards: the same questions at the same time get the same answers. */
export function sizeTests(world: () => World): void {
  let at = 0;
  let answers: readonly (readonly string[])[] = [];

  async function ask(): Promise<readonly (readonly string[])[]> {
    return world().with(stacks.size, async ({ api }) => {
      // A root that has just started answers with an error until it has reached every shard.
      await until("an answer of the root", { seconds: 60 }, async () => (await api.number("count(up)")) > 0);
      const found: (readonly string[])[] = [];
      for (const question of questions) {
        found.push(canonical(await api.query(question, at)));
        found.push(canonical(await api.queryRange(question, at - 180_000, at, rangeStep)));
      }
      for (const question of rates) {
        for (const before of [0, 30_000, 60_000]) found.push(canonical(await api.query(question, at - before)));
      }
      return found;
    });
  }

  async function deploy(keys: Readonly<Record<string, unknown>>): Promise<void> {
    world().workspace.writeStack(stacks.size, stackConfig(stacks.size, keys));
    await world().workspace.mustTool(["up", stacks.size, "--no-feed"]);
  }

  async function everySampleReadable(): Promise<void> {
    expect(disagreements(await check(world().workspace, stacks.size, ["--range", "2m", "--settle", "8s"]))).toEqual([]);
  }

  test("the single size answers a set of queries", async () => {
    await deploy({ createThanos: false, serversCount: 1 });
    const fleet = ["--gateways", "25", "--series", "120", "--unassigned", "50"];
    await world().workspace.mustTool([
      "feed",
      stacks.size,
      "--backfill",
      "8",
      "--rounds",
      "0",
      "--interval",
      "30",
      ...fleet,
    ]);
    // Whole seconds, because Thanos sends nothing finer to the shards, and of the step, to which the frontend aligns.
    at = Math.floor(Date.now() / (rangeStep * 1_000)) * rangeStep * 1_000;
    await everySampleReadable();
    answers = await ask();
    expect(answers.every((answer) => answer.length > 0)).toBe(true);
  });

  test("createThanos with one shard answers every query as the single size did, with the same history", async () => {
    await deploy({ createThanos: true, serversCount: 1 });
    expect(await ask()).toEqual(answers);
    await everySampleReadable();
  });

  test("three shards still answer for the history of the single size", async () => {
    await deploy({ createThanos: true, serversCount: 3 });
    expect(await ask()).toEqual(answers);
    await everySampleReadable();
  });
}
