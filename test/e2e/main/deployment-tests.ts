import { z } from "zod";
import { expect, test } from "vitest";
import { kubectl } from "../../../tools/kubectl";
import { check, comparedBy, disagreements, resultOf } from "../kit/checker";
import { lastLines } from "../kit/command";
import { choose } from "../kit/form";
import { restartsIn } from "../kit/objects";
import { planOf } from "../kit/plan";
import { stacks, type World } from "./world";

const replicasSchema = z.object({ spec: z.object({ replicas: z.number() }) });

async function exporterReplicas(): Promise<number> {
  const text = await kubectl({ namespace: stacks.dev }, ["get", "deployment", "exporter", "--output", "json"]);
  return replicasSchema.parse(JSON.parse(text)).spec.replicas;
}

/** Tests of the first deployment; the ones after them use it. */
export function deploymentTests(world: () => World): void {
  test("up deploys two shards, feeds them like Magma, and the root counts every series that was pushed", async () => {
    const rounds = choose({ short: "1", long: "3" });
    const result = await world().workspace.mustTool(["up", stacks.dev, "--rounds", rounds]);
    const { pushed, counted } = resultOf(result.stdout);
    expect(counted).toBe(pushed);
    expect(pushed).toBeGreaterThan(100_000);
    expect(result.stdout).toMatch(/count\(\{__name__=~"\.\+"\}\)/);
    await world().open();
  });

  test("every acknowledged sample can be read back exactly once, and sums, rates and quantiles are the ledger's", async () => {
    const { workspace } = world();
    // A fleet whose samples can be read one by one, with enough rounds for rates.
    const fleet = choose({
      short: ["--gateways", "20", "--series", "150", "--unassigned", "100"],
      long: ["--gateways", "347"],
    });
    await workspace.mustTool(["feed", stacks.dev, "--backfill", "5", "--rounds", "0", "--interval", "30", ...fleet]);
    // Half a million samples at once are more than the exporter keeps: it puts them off until the next scrape, and moves no key.
    const history = choose({ short: [], long: ["--history", "5", "--settle", "60s"] });
    const outcome = await check(workspace, stacks.dev, ["--range", "2m", ...history]);
    expect(disagreements(outcome)).toEqual([]);
    expect(outcome.ok).toBe(true);
    for (const kind of [/^series$/, /sum per gateway/, /rate of/, /quantiles of/, /^samples$/]) {
      expect(comparedBy(outcome, kind), String(kind)).toBeGreaterThan(0);
    }
    expect(outcome.reports.map(({ duplicates }) => duplicates)).toEqual(outcome.reports.map(() => 0));
  });

  test("a second preview after up, and one that reads the cluster back, have nothing to change", async () => {
    const { workspace } = world();
    const arguments_ = [...workspace.stackOfTools(stacks.dev), "--expect-no-changes", "--diff", "--non-interactive"];
    const plain = await workspace.pulumi(["preview", ...arguments_]);
    expect(plain.code, lastLines(plain)).toBe(0);
    const refreshed = await workspace.pulumi(["preview", "--refresh", ...arguments_]);
    expect(refreshed.code, lastLines(refreshed)).toBe(0);
  });

  test("a change by hand shows in preview --refresh, and an up that may overrule it takes it back", async () => {
    const { workspace } = world();
    const target = { namespace: stacks.dev };
    await kubectl(target, ["scale", "deployment", "exporter", "--replicas=2"]);
    const before = await planOf(workspace, stacks.dev, ["--refresh"]);
    expect(before.changes.map(({ action, object, reasons }) => ({ action, object, reasons }))).toEqual([
      { action: "update", object: "exporter", reasons: ["spec.replicas"] },
    ]);
    // Without this Kubernetes leaves the field to whoever changed it last, and the up ends with that conflict.
    const overrule = { PULUMI_K8S_ENABLE_PATCH_FORCE: "true" };
    const up = ["up", "--refresh", "--yes", "--skip-preview", ...workspace.stackOfTools(stacks.dev)];
    await workspace.mustPulumi(up, overrule);
    expect(await exporterReplicas()).toBe(1);
    const after = await planOf(workspace, stacks.dev, ["--refresh"]);
    expect(after.changes).toEqual([]);
  });

  test("a bare status says that everything runs, without a restart", async () => {
    const result = await world().workspace.tool(["status", stacks.dev, "--json"]);
    expect(result.code, lastLines(result)).toBe(0);
    expect(await restartsIn(stacks.dev)).toEqual([]);
  });
}
