import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { clusterIdentifier, kubeconfigPath, kubernetesProvider } from "../../../infra/kubernetes-provider";

const inputs: Record<string, unknown>[] = [];

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      inputs.push(args.inputs as Record<string, unknown>);
      return { id: "id", state: args.inputs as Record<string, unknown> };
    },
    call: (args) => args.inputs as Record<string, unknown>,
  });
});

async function providerInputs(cluster: Parameters<typeof kubernetesProvider>[0]): Promise<Record<string, unknown>> {
  const provider = kubernetesProvider(cluster);
  await new Promise((done) => provider.urn.apply(done));
  return inputs.at(-1) ?? {};
}

describe("cluster identifier", () => {
  test.each([
    [{ kind: "kubeconfig" as const }, "ambient"],
    [{ kind: "kubeconfig" as const, path: "a/b" }, "kubeconfig:a/b"],
    [{ kind: "kubeconfig" as const, path: "a/b", context: "prod" }, "context:prod"],
    [{ kind: "kubeconfig" as const, context: "prod" }, "context:prod"],
  ])("%o", (cluster, expected) => {
    expect(clusterIdentifier(cluster)).toBe(expected);
  });
});

describe("provider", () => {
  test("without config asks the ambient cluster", async () => {
    const found = await providerInputs({ kind: "kubeconfig" });
    expect(found).toMatchObject({ clusterIdentifier: "ambient", enableConfigMapMutable: "true" });
    expect(found).not.toHaveProperty("kubeconfig");
    expect(found).not.toHaveProperty("context");
  });

  test("names the context and the file that config names", async () => {
    const found = await providerInputs({ kind: "kubeconfig", path: __filename, context: "prod" });
    expect(found).toMatchObject({ clusterIdentifier: "context:prod", context: "prod", kubeconfig: __filename });
  });

  test("a kubeconfig that does not exist is one readable error", () => {
    expect(() => kubernetesProvider({ kind: "kubeconfig", path: "/nowhere/config" })).toThrow(
      new pulumi.RunError(
        `the stack's config has 1 problem:\n\n  scaled-prometheus:cluster.path is "/nowhere/config"\n` +
          "    rule: a kubeconfig file that exists (looked for /nowhere/config)\n" +
          "    fix:  correct the path, or take the key out for the variable KUBECONFIG\n",
      ),
    );
  });

  test("~ is the home folder", () => {
    expect(kubeconfigPath("~/x/config")).toBe(join(homedir(), "x", "config"));
    expect(kubeconfigPath("/x")).toBe("/x");
  });
});
