import { describe, expect, test } from "vitest";
import { toYaml } from "../../../components/kit/yaml";
import type { MonitoringArgs } from "../../../components/monitoring";
import { parseConfig } from "../../../stacks/config";
import { monitoringPlan } from "../../../stacks/monitoring-plan";
import { buildTopology } from "../../../stacks/topology";
import { promtool, promtoolErrors } from "../promtool";
import { run } from "./recorder";
import { SERVICES } from "./services";

interface Job {
  readonly job_name: string;
  readonly metrics_path: string;
  readonly static_configs?: readonly { readonly targets: readonly string[]; readonly labels: object }[];
  readonly dns_sd_configs?: readonly { readonly names: readonly string[]; readonly port: number }[];
}

function monitoringOf(raw: Record<string, unknown>): MonitoringArgs {
  const { monitoring } = buildTopology(parseConfig(raw), SERVICES);
  if (monitoring === undefined) throw new Error("the stack has no monitoring");
  return monitoring;
}

function jobsOf(raw: Record<string, unknown>): readonly Job[] {
  return (monitoringOf(raw).config as { scrape_configs: readonly Job[] }).scrape_configs;
}

function targetsOf(jobs: readonly Job[], name: string): string[] {
  const job = jobs.find(({ job_name }) => job_name === name);
  const fixed = job?.static_configs?.flatMap(({ targets }) => targets) ?? [];
  const looked =
    job?.dns_sd_configs?.flatMap(({ names, port }) => names.map((host) => `${host}:${String(port)}`)) ?? [];
  return [...fixed, ...looked].map((target) => target.replace(".scaled-prometheus.svc", ""));
}

const SHARDED = { createThanos: true, serversCount: 2, retiredShards: [4] };

/** One target of each shard's replica. */
function replicas(shards: readonly number[], part: string, port: number): string[] {
  return shards.flatMap((shard) =>
    ["a", "b"].map((replica) => `${part}-shard-${String(shard)}-${replica}:${String(port)}`),
  );
}

describe("what is scraped", () => {
  test("sharded: every part, with the hubs of the ring and everything else of retired shards too", () => {
    const jobs = jobsOf(SHARDED);
    expect(Object.fromEntries(jobs.map(({ job_name }) => [job_name, targetsOf(jobs, job_name)]))).toStrictEqual({
      prometheus: replicas([0, 1, 4], "prometheus", 9090),
      gate: replicas([0, 1, 4], "prometheus", 8080),
      hub: replicas([0, 1], "hub", 9091),
      exporter: ["exporter-scrape:8080"],
      alertmanager: ["alertmanager:9093"],
      monitoring: ["127.0.0.1:9095"],
      sidecar: replicas([0, 1, 4], "prometheus", 10902),
      querier: ["querier-pods:10902"],
      "root-gate": ["querier-pods:8080"],
      "query-frontend": ["query-frontend-scrape:10902"],
      leaf: ["leaf-shard-0-pods", "leaf-shard-1-pods", "leaf-shard-4-pods", "leaf-ruler-pods"].map(
        (pods) => `${pods}:10902`,
      ),
      adapter: ["leaf-shard-0-pods", "leaf-shard-1-pods", "leaf-shard-4-pods", "leaf-ruler-pods"].map(
        (pods) => `${pods}:8080`,
      ),
      ruler: ["ruler:10902"],
    });
  });

  test("single: nothing of Thanos", () => {
    expect(jobsOf({}).map(({ job_name }) => job_name)).toStrictEqual([
      "prometheus",
      "gate",
      "hub",
      "exporter",
      "alertmanager",
      "monitoring",
    ]);
  });

  test.each([[{}], [SHARDED]])("never a hub's /metrics, which would empty it", (raw) => {
    for (const job of jobsOf(raw)) {
      const isHub = targetsOf([job], job.job_name).some((target) => target.startsWith("hub-"));
      expect(job.metrics_path).toBe(isHub ? "/internal" : "/metrics");
      expect(JSON.stringify(job)).not.toContain("kubernetes_sd_configs");
    }
  });

  test("every looked-up name is a headless Service that selects the part's pods", async () => {
    const { resources } = await run(SHARDED);
    const services = new Map(
      resources
        .filter(({ type }) => type === "kubernetes:core/v1:Service")
        .map(({ name, inputs }) => [name, inputs["spec"] as { clusterIP?: string; selector: object }]),
    );
    for (const [name, component] of [
      ["exporter-scrape", "exporter"],
      ["querier-pods", "querier"],
      ["query-frontend-scrape", "query-frontend"],
      ["leaf-shard-4-pods", "leaf"],
    ] as const) {
      expect(services.get(name)).toMatchObject({
        clusterIP: "None",
        selector: { "app.kubernetes.io/name": component },
      });
    }
    for (const job of jobsOf(SHARDED)) {
      for (const target of targetsOf([job], job.job_name)) {
        if (!target.startsWith("127.")) expect([...services.keys()]).toContain(target.split(":")[0]);
      }
    }
  });
});

test("parts that only some stacks have are looked up, counted and, with object storage, expected to upload", () => {
  const rulers = { job: "ruler", services: ["ruler"], port: 10902, replicas: 2 };
  const { monitoring } = monitoringPlan(
    parseConfig({ createThanos: true }),
    [{ shard: 0, replica: "a", isRetired: false }],
    { version: "v", shards: 1 },
    { parts: [rulers], hasObjectStorage: true },
  );
  const { scrape_configs: jobs } = monitoring?.config as { scrape_configs: readonly Job[] };
  expect(targetsOf(jobs, "ruler")).toStrictEqual(["ruler:10902"]);
  const alerts = toYaml(monitoring?.alerts ?? {});
  expect(alerts).toContain('(count(up{job="ruler"} == 1) or vector(0)) < 2');
  expect(alerts).toContain("alert: UploadStale");
});

describe("the monitoring Prometheus", () => {
  test("listens on loopback behind a gate, without lifecycle and admin endpoints, and is not protected", async () => {
    const { flags } = monitoringOf({});
    expect(flags["web.listen-address"]).toBe("127.0.0.1:9095");
    for (const name of Object.keys(flags)) expect(name).not.toMatch(/lifecycle|admin|receiver|retention/);
    const { resources } = await run({});
    const set = resources.find(({ type, name }) => type.endsWith(":StatefulSet") && name === "monitoring");
    expect(set?.protect).toBe(false);
    const spec = set?.inputs["spec"] as { template: { spec: { containers: { name: string }[] } } };
    expect(spec.template.spec.containers.map(({ name }) => name)).toStrictEqual(["monitoring", "gate"]);
  });

  test("sends alerts to the one Alertmanager, and keeps what fits into 80% of its volume", () => {
    const { config } = monitoringOf({ monitoring: { storageSize: "1Gi", retention: "3d", scrapeInterval: "5s" } });
    expect(config).toMatchObject({
      alerting: { alertmanagers: [{ static_configs: [{ targets: ["alertmanager.scaled-prometheus.svc:9093"] }] }] },
      global: { scrape_interval: "5s", scrape_timeout: "5s", evaluation_interval: "5s" },
      storage: { tsdb: { retention: { time: "3d", size: "819MB" } } },
    });
  });

  test("changes only its files with the number of shards", () => {
    const { config: before, alerts: rules, ...fixed } = monitoringOf({ ...SHARDED, retiredShards: [] });
    const {
      config: after,
      alerts: newRules,
      ...same
    } = monitoringOf({ ...SHARDED, serversCount: 3, retiredShards: [] });
    expect(same).toStrictEqual(fixed);
    expect(after).not.toStrictEqual(before);
    expect(newRules).not.toStrictEqual(rules);
  });

  test("monitoring.enabled: false leaves out all of it", async () => {
    const { resources } = await run({ ...SHARDED, monitoring: { enabled: false } });
    const names = resources.map(({ name }) => name);
    expect(names.filter((name) => /monitoring|-scrape$/.test(name) && !name.startsWith("hub-"))).toStrictEqual([]);
  });

  test("runbook addresses have no double slash", () => {
    const { alerts } = monitoringOf({ monitoring: { runbooks: "https://example.org/runbooks/" } });
    expect(toYaml(alerts)).toContain("https://example.org/runbooks/PartDown.md");
  });

  test.skipIf(promtool === undefined).each([[{}], [SHARDED]])(
    "promtool accepts its configuration and alerts",
    (raw) => {
      const { config, alerts } = monitoringOf(raw);
      const files = { "prometheus.yaml": toYaml(config), "alerts.yaml": toYaml(alerts) };
      expect(promtoolErrors(["check", "config", "--syntax-only", "prometheus.yaml"], files)).toBe("");
      expect(promtoolErrors(["check", "rules", "alerts.yaml"], files)).toBe("");
    },
  );
});
