import { expect, test } from "vitest";
import { nameOf, objectsOf } from "../kit/objects";
import { until } from "../kit/wait";
import { evaluationSeconds, ruleFiles, scrapeSeconds, stacks, type World } from "./world";

/** Seconds for a push to be scraped, for the lag of rules, for the reload of Prometheus, and for tunnels. */
const lagSeconds = 3 * scrapeSeconds + 10;

/** Tests of the same rules in the single size. */
export function singleTests(world: () => World): void {
  test("the same rules work on the one Prometheus, the sharded one as it is written", async () => {
    world().writeRules(ruleFiles);
    await world().deploy(stacks.single);
    expect((await objectsOf(stacks.single)).map(nameOf)).not.toContain("StatefulSet/ruler");
    expect(await world().rulesOf(stacks.single, 0)).toEqual(["SpansShards", "network:e2e_moving:sum"]);
    await world().startPushing(stacks.single);
    const seconds = 2 * evaluationSeconds + lagSeconds;
    await until("the alert", { seconds }, async () => (await world().alerts(stacks.single)).length > 0);
    const alerts = await world().alerts(stacks.single);
    expect(alerts.map(({ labels }) => labels)).toEqual([{ alertname: "SpansShards", severity: "page" }]);
    const pipeline = await world().pipeline(stacks.single);
    await until("the recorded series", { seconds }, async () => {
      const answer = await pipeline.api.query("count(network:e2e_moving:sum)");
      return answer.type === "vector" && answer.samples[0]?.value === 2;
    });
  });
}
