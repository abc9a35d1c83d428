import { describe, expect, test } from "vitest";
import { run } from "../stacks/recorder";

interface Placed {
  readonly owner: string;
  readonly affinity: unknown;
}

async function affinities(availability: string): Promise<readonly Placed[]> {
  const { resources } = await run({ createThanos: true, availability });
  return resources
    .filter(({ type, name }) => /:(StatefulSet|Deployment)$/.test(type) && name.includes("shard-0"))
    .map(({ name, inputs }) => {
      const { template } = inputs["spec"] as { template: { spec: { affinity?: unknown } } };
      return { owner: name, affinity: template.spec.affinity };
    });
}

describe("availability", () => {
  test.each([
    ["host", "kubernetes.io/hostname"],
    ["zone", "topology.kubernetes.io/zone"],
  ])("%s: b keeps away from a, and by the scheduler's symmetry a from b", async (availability, topologyKey) => {
    const away = (component: string) => ({
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            labelSelector: {
              matchLabels: {
                "app.kubernetes.io/name": component,
                "scaled-prometheus/shard": "0",
                "scaled-prometheus/replica": "a",
              },
            },
            topologyKey,
          },
        ],
      },
    });
    expect(await affinities(availability)).toStrictEqual([
      { owner: "prometheus-shard-0-a", affinity: undefined },
      { owner: "hub-shard-0-a", affinity: undefined },
      { owner: "prometheus-shard-0-b", affinity: away("prometheus") },
      { owner: "hub-shard-0-b", affinity: away("hub") },
      { owner: "leaf-shard-0", affinity: undefined },
    ]);
  });

  test("none leaves the scheduler free", async () => {
    expect((await affinities("none")).every(({ affinity }) => affinity === undefined)).toBe(true);
  });
});
