import { describe, expect, test } from "vitest";
import { ConfigError, parseConfig } from "../../../stacks/config";
import { run, type Run } from "./recorder";

interface Pod {
  readonly volumes: readonly unknown[];
  readonly containers: readonly [
    { readonly args: readonly string[]; readonly ports: readonly unknown[]; readonly volumeMounts: readonly unknown[] },
  ];
}

function exporterPod({ resources }: Run): Pod {
  const deployment = resources.find(({ type, name }) => type.endsWith(":Deployment") && name === "exporter");
  return (deployment?.inputs["spec"] as { template: { spec: Pod } }).template.spec;
}

function servicePorts({ resources }: Run): readonly unknown[] {
  const service = resources.find(({ type, name }) => type.endsWith(":Service") && name === "exporter");
  return (service?.inputs["spec"] as { ports: readonly { name: string; port: number }[] }).ports.map(
    ({ name, port }) => [name, port],
  );
}

describe("the push ports", () => {
  test("are HTTP and gRPC, without TLS and token, as stock controllers push", async () => {
    const recorded = await run({});
    expect(servicePorts(recorded)).toStrictEqual([
      ["http", 9091],
      ["grpc", 9092],
    ]);
    expect(exporterPod(recorded).containers[0].args.join(" ")).not.toMatch(/tls|token|grpc/);
  });

  test("are HTTP only where the config says so", async () => {
    const recorded = await run({ push: { grpc: false } });
    expect(servicePorts(recorded)).toStrictEqual([["http", 9091]]);
    expect(exporterPod(recorded).containers[0].args.join(" ")).toContain("--grpc-listen off");
  });

  test("have TLS and tokens from the user's Secrets, which are mounted and not copied", async () => {
    const recorded = await run({
      push: { tls: { secretName: "push-tls" }, bearerToken: { secretName: "push-token" } },
    });
    const { volumes, containers } = exporterPod(recorded);
    expect(volumes).toContainEqual({ name: "tls", secret: { secretName: "push-tls" } });
    expect(volumes).toContainEqual({ name: "token", secret: { secretName: "push-token" } });
    expect(containers[0].args.join(" ")).toContain(
      "--tls-folder /etc/exporter-tls --token-file /etc/exporter-token/token",
    );
    expect(containers[0].volumeMounts).toContainEqual({ name: "tls", mountPath: "/etc/exporter-tls", readOnly: true });
    expect(recorded.outputs.pushUrl).toBe("https://exporter.scaled-prometheus.svc:9091/metrics");
  });
});

test("limits per tenant that limit nothing are refused", () => {
  const config = { push: { limits: { perTenant: { label: "networkID" } } } };
  expect(() => parseConfig(config)).toThrow(ConfigError);
  expect(() => parseConfig(config)).toThrow("limits per tenant need maxSeries, maxSamplesPerSecond, or both");
});
