import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../policies/kit/evaluate";
import { POLICIES } from "../../policies/pack";
import { SOURCE_CHANGES, STACK_CHANGES } from "../fixtures/policies/seeded-changes";
import { recordChanged } from "./kit/changed-program";
import { parseStackFile, record, stackConfig, stackNames } from "./kit/record";

async function found(resources: ReturnType<typeof record>): Promise<readonly string[]> {
  return evaluate(POLICIES, await resources).map(({ policy }) => policy);
}

describe("bad changes of a stack file", () => {
  it.each(STACK_CHANGES.map((each) => [each.what, each] as const))("%s", async (_, { stack, config, caughtBy }) => {
    const added = parseStackFile(JSON.stringify({ config: load(config) }));
    const changed = record({ ...stackConfig(stack), ...added });
    if ("rule" in caughtBy) await expect(changed).rejects.toThrow(caughtBy.rule);
    else expect(await found(changed)).toContain(caughtBy.policy);
  });
});

describe("bad changes of the program", () => {
  it.each(SOURCE_CHANGES.map((each) => [each.what, each] as const))("%s", async (_, change) => {
    expect(await found(recordChanged(change, stackConfig(change.stack)))).toContain(change.policy);
  });

  it("are at least 20 with those of stack files", () => {
    expect(STACK_CHANGES.length + SOURCE_CHANGES.length).toBeGreaterThanOrEqual(20);
  });
});

describe("the stacks of the repository", () => {
  it.each(stackNames())("%s has no finding", async (stack) => {
    expect(evaluate(POLICIES, await record(stackConfig(stack)))).toStrictEqual([]);
  });
});
