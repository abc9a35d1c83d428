import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { expect, test } from "vitest";
import { z } from "zod";

const ROOT = join(__dirname, "../../..");
const SCRIPT = join(ROOT, "tools/ci/stack.sh");

const workflowSchema = z.looseObject({
  jobs: z.record(z.string(), z.looseObject({ steps: z.array(z.looseObject({ run: z.string().optional() })) })),
});

test("every step of the workflow that runs something runs the script, with stacks that exist", () => {
  const { jobs } = workflowSchema.parse(load(readFileSync(join(ROOT, ".github/workflows/stacks.yml"), "utf8")));
  const commands = Object.values(jobs).flatMap(({ steps }) =>
    steps.flatMap(({ run }) => (run === undefined ? [] : [run])),
  );
  expect(commands.length).toBe(Object.keys(jobs).length);
  for (const command of commands) {
    const [script = "", action = "", ...stacks] = command.split(" ");
    expect(join(ROOT, script)).toBe(SCRIPT);
    expect(["preview", "deploy", "drift"]).toContain(action);
    for (const stack of stacks) expect(existsSync(join(ROOT, `Pulumi.${stack}.yaml`)), stack).toBe(true);
  }
});

test("the script explains itself when it is called wrongly", () => {
  const { status, stderr } = spawnSync(SCRIPT, ["preview"], { encoding: "utf8" });
  expect(status).toBe(64);
  expect(stderr).toContain("tools/ci/stack.sh deploy STACK");
});
