import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryRoot } from "../../../tools/paths";
import { lastLines, runCommand } from "../kit/command";
import type { World } from "./world";

/** Tests of a cluster that somebody else runs. */
export function kubeconfigTests(world: () => World): void {
  test("with KUBECONFIG set, nothing of the local cluster is built or started: its folders stay empty", async () => {
    const folder = world().workspace.scratch("foreign");
    const [cache, state, home] = ["cache", "state", "home"].map((name) => join(folder, name));
    const kubeconfig = join(folder, "kubeconfig");
    for (const each of [cache, state, home]) mkdirSync(each ?? "", { recursive: true });
    copyFileSync(process.env["KUBECONFIG"] ?? "", kubeconfig);
    const env = {
      ...process.env,
      KUBECONFIG: kubeconfig,
      HOME: home,
      SCALED_PROMETHEUS_CACHE: cache,
      SCALED_PROMETHEUS_STATE: state,
    };
    const local = ["node", "--require", "tsx/cjs", "local/cli.ts"];
    const options = { cwd: repositoryRoot, env };
    const listed = await runCommand([...local, "exec", "--", "kubectl", "get", "nodes", "--output", "name"], options);
    expect(listed.code, lastLines(listed)).toBe(0);
    expect(listed.stdout).toMatch(/^node\//m);
    const started = await runCommand([...local, "cluster"], options);
    expect(started.code, lastLines(started)).toBe(0);
    expect(started.stderr).toContain("nothing to start");
    expect([cache, state].map((each) => readdirSync(each ?? ""))).toEqual([[], []]);
  });
}
