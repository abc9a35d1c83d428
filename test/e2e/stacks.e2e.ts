/** The stacks of production, previewed and deployed by the real CLI through the echo provider (test/echo). */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { form } from "./kit/form";
import { INVENTORY_STACKS, inventoryFile, inventoryText, PREVIEW_CASES, previewFile, previewOf } from "../echo/cases";
import { EchoWorkspace } from "../echo/workspace";
import { earlyWorld } from "./kit/suite";
import { monitoringTests } from "./stacks/monitoring-tests";
import { MonitoringWorld } from "./stacks/monitoring-world";

const STALE = "make fixtures writes it anew: read the difference before you commit it";

const summarySchema = z.object({ findings: z.array(z.unknown()), changes: z.array(z.unknown()), exitCode: z.number() });

let workspace: EchoWorkspace;

// Its pods start while the echo provider's tests use the processors.
const monitoring = earlyWorld(() => MonitoringWorld.create());

beforeAll(() => {
  workspace = EchoWorkspace.create();
});

afterAll(() => {
  workspace.remove();
});

// In order: prod finds its cluster in the outputs of prod-cluster.
describe.each(INVENTORY_STACKS)("stack %s", (stack) => {
  it("previews as new things only", async () => {
    await workspace.makeStack(stack);
    const plan = await workspace.plan(stack);
    expect(plan.errors).toEqual([]);
    expect(plan.changes.length).toBeGreaterThan(10);
    expect([...new Set(plan.changes.map(({ action }) => action))]).toEqual(["create"]);
  });

  it("deploys, and what it deployed is the committed inventory", async () => {
    await workspace.up(stack);
    expect(await inventoryText(workspace, stack), STALE).toBe(readFileSync(inventoryFile(stack), "utf8"));
  });

  it("previews without a change and without a finding right after", async () => {
    const { stdout, stderr, code } = await workspace.tool(["preview", stack, "--json", "--expect-no-changes"]);
    const summary = summarySchema.parse(JSON.parse(stdout));
    expect(summary, stderr).toEqual({ findings: [], changes: [], exitCode: 0 });
    expect(code).toBe(0);
  });
});

describe("changes to prod", () => {
  it("one shard more touches nothing of the shards that are there", async () => {
    workspace.writeStack("prod", { serversCount: 5 });
    const plan = await workspace.plan("prod");
    workspace.writeStack("prod");
    expect(plan.errors).toEqual([]);
    const objects = plan.changes.map(({ action, object, name }) => ({ action, name: object ?? name }));
    const made = objects.filter(({ action }) => action === "create").map(({ name }) => name);
    const others = objects.filter(({ action }) => action !== "create").map(({ name }) => name);
    expect(made.filter((name) => !name.includes("shard-4"))).toEqual([]);
    expect(made).toContain("prometheus-shard-4-a");
    // The ring and the list of endpoints, and those who read them.
    expect(others.filter((name) => !/^(exporter|placement|querier|monitoring)(-|$)/.test(name))).toEqual([]);
  });

  // One that is harmless and one that is not in the short form: each takes ten seconds.
  const shortCases = PREVIEW_CASES.filter(({ name }) => ["scale-up", "object-storage-off"].includes(name));

  it.each(form === "long" ? PREVIEW_CASES : shortCases)(
    "preview of $name is as committed, exit code $exitCode",
    async (each) => {
      const { text, code, problems } = await previewOf(workspace, each);
      expect(code, problems).toBe(each.exitCode);
      expect(text, STALE).toBe(readFileSync(previewFile(each.name), "utf8"));
    },
  );
});

describe("another way to the cluster", () => {
  it("an existing EKS cluster is found by its name", async () => {
    const cluster = { kind: "eks", name: "somebody-elses", region: "eu-central-1" };
    await workspace.makeStack("existing", { cluster }, "prod");
    const plan = await workspace.plan("existing");
    expect(plan.errors).toEqual([]);
    expect(plan.changes.map(({ name }) => name)).toContain("prometheus-shard-3-a");
    const associated = plan.changes.filter(({ type }) => type.endsWith(":PodIdentityAssociation"));
    expect(associated).toHaveLength(4);
  });

  it("any cluster with an OpenID Connect provider gets the bucket's roles by IRSA", async () => {
    const oidcProvider = "arn:aws:iam::111122223333:oidc-provider/oidc.example.org/id/A";
    const objectStorage = { type: "s3", region: "eu-west-1", create: { oidcProvider } };
    await workspace.makeStack("irsa", { cluster: { kind: "kubeconfig" }, objectStorage }, "prod");
    const plan = await workspace.plan("irsa");
    expect(plan.errors).toEqual([]);
    expect(plan.changes.filter(({ type }) => type === "aws:iam/role:Role")).toHaveLength(4);
    expect(plan.changes.filter(({ type }) => type.endsWith(":PodIdentityAssociation"))).toEqual([]);
  });

  it("a stack that made no cluster is an error", async () => {
    await workspace.makeStack("lost", { cluster: { kind: "stack", ref: "nowhere" } }, "prod");
    const plan = await workspace.plan("lost");
    expect(plan.errors.join("\n")).toContain("nowhere");
  });
});

describe("Alertmanager's configuration with prometheus-configmanager", () => {
  const config = { route: { receiver: "ops" }, receivers: [{ name: "ops" }] };
  const refusal = "it is only what Alertmanager's configuration started as";

  it("is only a seed: a later change of the key is an error, in the preview and in up", async () => {
    await workspace.makeStack("managed", { configManager: "true" }, "single");
    await workspace.up("managed");
    workspace.writeStack("managed", { configManager: "true", alertmanager: { config } }, "single");
    expect((await workspace.plan("managed")).errors.join("\n")).toContain(refusal);
    await expect(workspace.up("managed")).rejects.toThrow(refusal);
  });

  it("nothing else is held up by it, and switching off gives the key its meaning back", async () => {
    workspace.writeStack("managed", { configManager: "true", labels: { team: "a" } }, "single");
    expect((await workspace.plan("managed")).errors).toEqual([]);
    workspace.writeStack("managed", { configManager: "false", alertmanager: { config } }, "single");
    expect((await workspace.plan("managed")).errors).toEqual([]);
  });
});

describe("monitoring and dashboards of a dev stack", () => monitoringTests(monitoring));
