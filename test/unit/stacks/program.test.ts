import { beforeAll, describe, expect, test } from "vitest";
import { claimName } from "../../../model/names";
import { run, type Recorded, type Run } from "./recorder";

const SHARDED = { createThanos: true };

type Json = Readonly<Record<string, unknown>>;

interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources: { readonly limits: Json; readonly requests: Json };
  readonly securityContext: Json;
}

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly containers: readonly Container[];
  readonly securityContext: Json;
  readonly terminationGracePeriodSeconds: number;
}

function kindOf(resource: Recorded): string {
  return resource.type.split(":").at(-1) ?? "";
}

function names(recorded: Run, kind: string): string[] {
  return recorded.resources.filter((each) => kindOf(each) === kind).map(({ name }) => name);
}

function podSpecs(recorded: Run): { readonly owner: string; readonly spec: PodSpec }[] {
  return recorded.resources
    .filter((each) => ["StatefulSet", "Deployment"].includes(kindOf(each)))
    .map((each) => {
      const { template } = each.inputs["spec"] as { template: { spec: PodSpec } };
      return { owner: each.name, spec: template.spec };
    });
}

describe.each([
  ["single", {}, [0], [0]],
  ["sharded, 1", { ...SHARDED }, [0], [0]],
  ["sharded, 2", { ...SHARDED, serversCount: 2 }, [0, 1], [0, 1]],
  ["sharded, 2, alone", { ...SHARDED, serversCount: 2, highAvailability: false }, [0, 1], [0, 1]],
  ["sharded, 3", { ...SHARDED, serversCount: 3 }, [0, 1, 2], [0, 1, 2]],
  ["sharded, 8", { ...SHARDED, serversCount: 8 }, [0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7]],
  ["sharded, 2 and retired", { ...SHARDED, serversCount: 2, retiredShards: [5, 2] }, [0, 1, 2, 5], [0, 1]],
])("%s", (size, config, deployed, inRing) => {
  const isSharded = size !== "single";
  const letters = isSharded && !size.endsWith("alone") ? ["a", "b"] : ["a"];
  const shardNames = (format: (shard: string) => string, shards: readonly number[]): string[] =>
    shards.flatMap((shard) => letters.map((letter) => format(`shard-${String(shard)}-${letter}`)));
  let recorded: Run;
  beforeAll(async () => {
    recorded = await run(config);
  });

  test("has exactly these objects", () => {
    expect(names(recorded, "StatefulSet")).toStrictEqual([
      "alertmanager",
      ...shardNames((shard) => `prometheus-${shard}`, deployed),
      ...(isSharded ? ["ruler"] : []),
      "monitoring",
    ]);
    const leaves = isSharded ? [...deployed.map((shard) => `leaf-shard-${String(shard)}`), "leaf-ruler"] : [];
    expect(names(recorded, "Deployment").sort()).toStrictEqual(
      [
        ...shardNames((shard) => `hub-${shard}`, inRing),
        ...leaves,
        ...(isSharded ? ["querier", "query-frontend"] : []),
        "exporter",
      ].sort(),
    );
    expect(names(recorded, "Service").sort()).toStrictEqual(
      [
        "alertmanager",
        "exporter",
        "exporter-scrape",
        "monitoring",
        "query",
        ...(isSharded ? ["querier", "querier-pods", "query-frontend-scrape"] : []),
        ...leaves.flatMap((leaf) => [leaf, `${leaf}-pods`]),
        ...shardNames((shard) => `prometheus-${shard}`, deployed),
        ...(isSharded ? shardNames((shard) => `sidecar-${shard}`, deployed) : []),
        ...(isSharded ? ["ruler"] : []),
        ...shardNames((shard) => `hub-${shard}`, inRing),
        ...shardNames((shard) => `hub-${shard}-scrape`, inRing),
      ].sort(),
    );
    expect(names(recorded, "ConfigMap").sort()).toStrictEqual(
      [
        ...["gateways", "pipeline", "query-path"].map((dashboard) => `dashboard-${dashboard}`),
        "exporter-config",
        "grafana-datasources",
        "monitoring",
        "services",
        ...shardNames((shard) => `prometheus-${shard}`, deployed),
        ...leaves.map((leaf) => `${leaf}-config`),
        ...(isSharded ? ["querier-endpoints", "ruler-rules"] : []),
      ].sort(),
    );
    expect(names(recorded, "Secret")).toStrictEqual(["alertmanager"]);
  });

  test("names objects by plain text, the same as their resource but for content-named maps", () => {
    for (const { type, name, inputs } of recorded.resources) {
      if (!type.startsWith("kubernetes:")) continue;
      const metadata = inputs["metadata"] as { name: unknown; namespace?: unknown };
      if (type.endsWith("ConfigMap") && inputs["immutable"] === true) {
        expect(metadata.name).toMatch(/^(exporter|services|querier|leaf-[a-z0-9-]+)-[0-9a-f]{10}$/);
      } else {
        expect(metadata.name).toBe(name);
      }
      if (!type.endsWith(":Namespace")) expect(metadata.namespace).toBe("scaled-prometheus");
    }
  });

  test("protects the namespace and the StatefulSets of the ring, and nothing else", () => {
    const isProtected = recorded.resources.filter((each) => each.protect).map(({ name }) => name);
    expect(isProtected).toStrictEqual([
      "scaled-prometheus",
      "alertmanager",
      ...shardNames((shard) => `prometheus-${shard}`, inRing),
      ...(isSharded ? ["ruler"] : []),
    ]);
  });

  test("runs every pod under the restricted profile, with bounded memory and without a CPU limit", () => {
    for (const { owner, spec } of podSpecs(recorded)) {
      expect(spec.automountServiceAccountToken, owner).toBe(false);
      expect(spec.securityContext, owner).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(spec.securityContext["fsGroup"], owner).toBe(spec.securityContext["runAsUser"]);
      for (const container of spec.containers) {
        expect(container.securityContext, `${owner} ${container.name}`).toStrictEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
          runAsGroup: 65534,
          runAsNonRoot: true,
          runAsUser: 65534,
          seccompProfile: { type: "RuntimeDefault" },
        });
        expect(Object.keys(container.resources.limits)).toStrictEqual(["memory"]);
        expect(Object.keys(container.resources.requests)).toStrictEqual(["cpu", "memory"]);
      }
    }
  });

  test("keeps claims, and freezes what a StatefulSet can't change", () => {
    for (const each of recorded.resources.filter((resource) => kindOf(resource) === "StatefulSet")) {
      const spec = each.inputs["spec"] as Json;
      expect(spec).toMatchObject({
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        podManagementPolicy: "Parallel",
        replicas: each.name === "ruler" ? 2 : 1,
        serviceName: each.name,
      });
      expect(spec).not.toHaveProperty("revisionHistoryLimit");
      const [claim] = spec["volumeClaimTemplates"] as { metadata: { name: string } }[];
      expect(`${claim?.metadata.name ?? ""}-${each.name}-0`).toBe(claimName(each.name));
    }
  });

  test("stops each part only after what it has to finish", () => {
    for (const { owner, spec } of podSpecs(recorded)) {
      if (owner.startsWith("prometheus-")) expect(spec.terminationGracePeriodSeconds).toBe(600);
      if (owner === "querier") expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(120);
    }
  });

  test("gives every child its component as parent, and all of them the one provider", () => {
    const components = new Set(
      recorded.resources.filter(({ type }) => type.startsWith("scaled-")).map(({ name }) => name),
    );
    for (const { type, name, parent, provider } of recorded.resources) {
      if (type.startsWith("kubernetes:")) expect(components, name).toContain(parent);
      else if (parent === undefined && !type.startsWith("pulumi:")) expect(provider, name).toBe(true);
    }
  });

  test("the provider is replaced only by another cluster, and maps change in place", () => {
    const provider = recorded.resources.find(({ type }) => type === "pulumi:providers:kubernetes");
    expect(provider?.inputs).toMatchObject({
      clusterIdentifier: "ambient",
      enableConfigMapMutable: "true",
      enableSecretMutable: "true",
    });
  });

  test("has nothing of Thanos in the single size", () => {
    if (isSharded) return;
    const text = JSON.stringify(recorded.resources.map(({ type, name, inputs }) => [type, name, inputs]));
    expect(text).not.toMatch(/thanos/i);
  });

  test("says where everything is", () => {
    const { outputs } = recorded;
    expect(outputs).toMatchObject({
      namespace: "scaled-prometheus",
      queryUrl: "http://query.scaled-prometheus.svc:9090",
      pushUrl: "http://exporter.scaled-prometheus.svc:9091/metrics",
      alertmanagerUrl: "http://alertmanager.scaled-prometheus.svc:9093",
      portForward: { query: "kubectl --namespace scaled-prometheus port-forward service/query 9090:9090" },
    });
    expect(outputs.shards.map(({ index }) => index)).toStrictEqual(deployed);
    for (const { index, retired, replicas } of outputs.shards) {
      const isRetired = !inRing.includes(index);
      expect(retired).toBe(isRetired);
      expect(replicas).toStrictEqual(
        shardNames((name) => name, [index]).map((name) => ({
          name,
          statefulSet: `prometheus-${name}`,
          claim: `data-prometheus-${name}-0`,
          hub: isRetired ? null : `hub-${name}`,
        })),
      );
    }
  });
});
