import { expect, test } from "vitest";
import { leafName, NAMES, prometheusName, shardName } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { PrometheusApiError, type PrometheusApi } from "../../../tools/prometheus-api";
import { until } from "../kit/wait";
import { scale } from "./pods";
import { withWays } from "./ways";
import { letters, stack, type World } from "./world";

/** The shard that is lost. */
const lost = 1;

/** How one query was answered: a number, or an error's text. */
type Answer = number | string;

async function ask(api: PrometheusApi, query: string, time: number): Promise<Answer> {
  try {
    return await api.number(query, time, 0);
  } catch (error) {
    if (error instanceof PrometheusApiError) return error.message;
    throw error;
  }
}

/** Answers while both replicas of a shard are gone: never a smaller number. */
export function lossTests(world: () => World): void {
  /** A time at which all has been stored, and the queries about it. */
  let settled: { readonly time: number; readonly all: string; readonly others: string; readonly whole: number };

  const servers = letters.map((letter) => prometheusName(lost, letter));

  test("the frontend and a root answer the same, and all of it", async () => {
    // Whole seconds: Thanos sends nothing finer to the shards.
    const time = Math.floor(Date.now() / 1_000) * 1_000;
    const selector = (more: string) => `count(last_over_time({feed_run="${world().feed.run()}"${more}}[30m]))`;
    await withWays(async ({ frontend, root }) => {
      const whole = await until("the same answer both ways", { seconds: 60 }, async () => {
        const answers = [await ask(frontend, selector(""), time), await ask(root, selector(""), time)];
        return typeof answers[0] === "number" && answers[0] > 0 && answers[0] === answers[1] && answers[0];
      });
      settled = { time, all: selector(""), others: selector(`,shard="0"`), whole };
      const part = await ask(root, settled.others, time);
      expect(part).toBeGreaterThan(0);
      expect(part).toBeLessThan(whole);
      for (const api of [frontend, root]) {
        const range = await api.queryRange(`count({feed_run="${world().feed.run()}"})`, time - 120_000, time, 10);
        expect(range.type).toBe("matrix");
        expect(range.warnings).toEqual([]);
      }
    });
  });

  test("with both replicas of a shard down every answer that needs it is an error naming it", async () => {
    const { time, all, others, whole } = settled;
    await withWays(async (ways) => {
      const seen: Answer[] = [];
      const state = { isDown: false };
      const watching = (async () => {
        while (!state.isDown) seen.push(await ask(ways.frontend, all, time), await ask(ways.root, all, time));
      })();
      try {
        await scale("StatefulSet", servers, 0);
      } finally {
        state.isDown = true;
        await watching;
      }
      expect(seen.filter((answer) => typeof answer === "number" && answer !== whole)).toEqual([]);
      const answers: Answer[] = [];
      const deadline = Date.now() + 20_000;
      while (Date.now() < deadline) {
        answers.push(await ask(ways.frontend, all, time), await ask(ways.root, all, time));
      }
      expect(answers.filter((answer) => typeof answer === "number")).toEqual([]);
      expect(answers.filter((answer) => !String(answer).includes(`shard ${String(lost)}`))).toEqual([]);
      expect(await ask(ways.root, others, time)).toBeTypeOf("number");
    });
  });

  test("also after the roots have restarted, and with the shard's leaf gone too", async () => {
    const { time, all } = settled;
    const restart = async () => {
      const selector = `app.kubernetes.io/name=${NAMES.querier}`;
      await kubectl({ namespace: stack }, ["delete", "pods", "--selector", selector, "--wait=true"]);
    };
    // Roots see a leaf whose shard is down: they are ready, and say what is missing.
    await restart();
    await scale("Deployment", [NAMES.querier], 1);
    await withWays(async ({ root }) => expect(await ask(root, all, time)).toContain(`shard ${String(lost)}`));
    // Without the leaf they are refused until it is back.
    await scale("Deployment", [leafName(lost)], 0);
    await restart();
    await withWays(async ({ root }) => {
      await until("the new root's gate", { seconds: 90 }, async () => {
        expect(String(await ask(root, all, time))).toContain(`shard ${String(lost)} (${leafName(lost)}`);
        return true;
      });
      const answers: Answer[] = [];
      const deadline = Date.now() + 15_000;
      while (Date.now() < deadline) answers.push(await ask(root, all, time));
      expect(answers.filter((answer) => typeof answer === "number")).toEqual([]);
    });
  });

  test(`when ${shardName(lost)} is back, every answer is whole again`, async () => {
    const { time, all, whole } = settled;
    await scale("StatefulSet", servers, 1);
    await scale("Deployment", [leafName(lost)], letters.length);
    await scale("Deployment", [NAMES.querier], 1);
    await withWays(async ({ frontend, root }) => {
      for (const api of [frontend, root]) {
        await until("the whole answer", { seconds: 120 }, async () => (await ask(api, all, time)) === whole);
      }
    });
  });
}
