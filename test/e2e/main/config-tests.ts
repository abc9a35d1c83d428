import { z } from "zod";
import { expect, test } from "vitest";
import { badConfigs } from "../../fixtures/bad-configs";
import { lastLines } from "../kit/command";
import { existingNamespaces } from "../kit/objects";
import { stackConfig, stacks, type World } from "./world";

const stepsSchema = z.object({ steps: z.array(z.object({ urn: z.string() })).nullish() });

/** Tests of config that is refused. */
export function configTests(world: () => World): void {
  test.each(badConfigs)(
    "bad config, $name: up ends with one readable error that says key, value, rule and fix",
    async ({ keys, says }) => {
      const { workspace } = world();
      workspace.writeStack(stacks.bad, { ...stackConfig("dev", stacks.bad), ...keys });
      const result = await workspace.tool(["up", stacks.bad, "--no-feed"]);
      expect(result.code).toBe(1);
      for (const text of says) expect(result.stderr).toContain(text);
      expect(result.stderr).not.toMatch(/\n\s+at .*\(/);
      expect(await existingNamespaces([stacks.bad])).toEqual([]);
    },
  );

  test("bad config: the preview plans no resource at all", async () => {
    const { workspace } = world();
    const result = await workspace.pulumi(["preview", "--json", ...workspace.stackOfTools(stacks.bad)]);
    expect(result.code, lastLines(result)).not.toBe(0);
    const { steps } = stepsSchema.parse(JSON.parse(result.stdout.slice(result.stdout.indexOf("{"))));
    expect((steps ?? []).map(({ urn }) => urn).filter((urn) => !urn.includes("pulumi:pulumi:Stack"))).toEqual([]);
  });
}
