import { beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../policies/kit/evaluate";
import type { Resource } from "../../policies/kit/policy";
import { POLICIES } from "../../policies/pack";
import { CLOUD } from "../fixtures/policies/cloud";
import { CLOUD_VIOLATIONS } from "../fixtures/policies/cloud-violations";
import { shardedStack, singleStack } from "../fixtures/policies/stack";
import type { Violating } from "../fixtures/policies/violating";
import { STACK_VIOLATIONS } from "../fixtures/policies/violations";
import { changeArgs } from "./kit/break";

const violations: readonly Violating[] = [...STACK_VIOLATIONS, ...CLOUD_VIOLATIONS];

const stacks: Record<Violating["stack"], readonly Resource[]> = { sharded: [], single: [], cloud: CLOUD };

beforeAll(async () => {
  stacks.sharded = await shardedStack();
  stacks.single = await singleStack();
});

describe("the compliant stacks", () => {
  it.each(["sharded", "single", "cloud"] as const)("have no finding: %s", (name) => {
    expect(stacks[name].length).toBeGreaterThan(10);
    expect(evaluate(POLICIES, stacks[name])).toStrictEqual([]);
  });

  it("may keep blocks for less than downsampling takes, where nothing is downsampled", () => {
    const short = changeArgs("Deployment example-compactor", (args) =>
      args.map((arg) => arg.replace(/(?<=resolution-.*=).*/, "12h")),
    );
    const off = changeArgs("Deployment example-compactor", (args) => [...args, "--downsampling.disable"]);
    const found = evaluate(POLICIES, short(stacks.sharded));
    expect(found.map(({ policy }) => policy)).toStrictEqual(["retention-arithmetic"]);
    expect(evaluate(POLICIES, off(short(stacks.sharded)))).toStrictEqual([]);
  });
});

describe("every policy", () => {
  it.each(violations.map((each) => [each.policy, each.what, each] as const))("%s finds: %s", (_name, _what, each) => {
    const own = POLICIES.filter(({ name }) => name === each.policy);
    expect(evaluate(own, each.how(stacks[each.stack]))).not.toStrictEqual([]);
  });

  it.each(POLICIES.map((policy) => [policy.name, policy] as const))("%s has a violation that it finds", (name) => {
    expect(violations.filter(({ policy }) => policy === name)).not.toStrictEqual([]);
  });

  it.each(POLICIES.map((policy) => [policy.name, policy] as const))(
    "%s says what to do and where it is from",
    (_, policy) => {
      expect(policy.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(policy.description).toMatch(/^[A-Z].+\.$/);
      expect(policy.remediation.length).toBeGreaterThan(10);
      expect(policy.url).toMatch(/^https:\/\//);
    },
  );

  it("has a name of its own", () => {
    expect(new Set(POLICIES.map(({ name }) => name)).size).toBe(POLICIES.length);
  });
});
