import { expect, test } from "vitest";
import { NAMES } from "../../../model/names";
import { resultOf } from "../kit/checker";
import { lastLines, type CommandResult } from "../kit/command";
import { form } from "../kit/form";
import { fingerprint, nameOf, objectsOf } from "../kit/objects";
import { until } from "../kit/wait";
import { stackConfig, stacks, type World } from "./world";

/** Seconds that an `up` of the single size takes at the very most (measured: 7 to 25). */
const UP_SECONDS = 150;

/**
 * Another `up` after a killed one. The provider can wait for an event that it has missed (docs/operations.md, "An
 * interrupted `up`"), and what a user does then is the same again: kill it and run it once more.
 */
async function upAgain(workspace: World["workspace"], stack: readonly string[]): Promise<CommandResult> {
  for (let left = 2; ; left -= 1) {
    await workspace.mustPulumi(["cancel", "--yes", stacks.single]);
    const result = await workspace.pulumi(["up", "--yes", "--skip-preview", ...stack], UP_SECONDS);
    if (result.code !== -1 || left === 0) return result;
    process.stdout.write(`an up after a killed one stood still, and is killed too:\n${lastLines(result)}\n`);
  }
}

/** Tests of a second stack: the single size, made by plain Pulumi, beside the first one. */
export function singleTests(world: () => World): void {
  let before: ReturnType<typeof fingerprint>;

  test("plain pulumi up, killed half way, and run again ends with everything up and nothing left to change", async () => {
    const { workspace } = world();
    before = fingerprint(await objectsOf(stacks.dev));
    await workspace.mustPulumi(["stack", "init", stacks.single]);
    // A hub that stops drains for two scrape intervals and 10 s: with this the suite's last step is shorter.
    const push = { exporterReplicas: 1, scrapeInterval: "6s", limits: { maxBodySize: "1Mi" } };
    workspace.writeStack(stacks.single, stackConfig("single", stacks.single, { push }));
    const stack = ["--stack", stacks.single, "--non-interactive"];
    const first = workspace.startPulumi(["up", "--yes", "--skip-preview", ...stack]);
    await until("the Prometheus of a half finished up", { seconds: 120, everyMilliseconds: 100 }, async () => {
      return (await objectsOf(stacks.single)).some(({ kind }) => kind === "StatefulSet");
    });
    const killed = await first.stop("SIGKILL");
    expect(killed.code).toBe(-1);
    expect((await objectsOf(stacks.single)).map(nameOf)).not.toContain(`Deployment/${NAMES.exporter}`);
    const after = await upAgain(workspace, stack);
    expect(after.code, lastLines(after)).toBe(0);
    const again = await workspace.pulumi(["preview", "--refresh", "--expect-no-changes", "--diff", ...stack]);
    expect(again.code, lastLines(again)).toBe(0);
  });

  test("the single size has nothing of Thanos in any name or image", async () => {
    const objects = await objectsOf(stacks.single);
    const images = objects.flatMap(({ spec }) => spec.containers.map(({ image }) => image));
    expect(images.length).toBeGreaterThanOrEqual(5);
    expect([...objects.map(nameOf), ...images].filter((text) => /thanos/i.test(text))).toEqual([]);
  });

  test("up of the single size counts every series that was pushed, as many as the sharded one", async () => {
    const { workspace } = world();
    const result = await workspace.mustTool(["up", stacks.single, "--rounds", "1"], workspace.plainPulumi());
    const { pushed, counted } = resultOf(result.stdout);
    expect(counted).toBe(pushed);
    expect(pushed).toBeGreaterThan(100_000);
  });

  // In the long form: now and then the provider misses that a hub is gone, and waits for minutes (seen: 105 s).
  test.runIf(form === "long")(
    "down takes the second stack away with its namespace, and the first one never noticed it",
    async () => {
      const { workspace } = world();
      await workspace.mustTool(["down", stacks.single], workspace.plainPulumi());
      await expect(objectsOf(stacks.single)).resolves.toEqual([]);
      expect(fingerprint(await objectsOf(stacks.dev))).toEqual(before);
    },
  );
}
