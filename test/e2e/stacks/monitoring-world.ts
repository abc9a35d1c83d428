import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { z } from "zod";
import { expressionsOf, type DataSource, type PanelExpression } from "../../../components/dashboards/dashboard";
import { NAMES, PORTS } from "../../../model/names";
import { parseConfig } from "../../../stacks/config";
import { dashboardsOf } from "../../../stacks/grafana-plan";
import { PortForward } from "../../../tools/port-forward";
import { kubectl } from "../../../tools/kubectl";
import { PrometheusApi } from "../../../tools/prometheus-api";
import { restrictedNamespace } from "../kit/objects";
import { s3Config, startS3Server } from "../object-storage/s3-server";
import { configManagerConfig } from "../rules/configmanager";
import { committedConfig, Workspace } from "../kit/workspace";
import type { BackgroundCommand } from "../kit/command";

/** The stack of these tests, and its namespace. */
export const stack = "e2e-monitoring";

const alertsSchema = z.array(z.object({ labels: z.record(z.string(), z.string()) }));
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.object({ name: z.string(), health: z.string() })) })),
  }),
});

/** A rule of each kind. */
const RULES = {
  groups: [
    {
      name: "example",
      rules: [
        { record: "network:series:count", expr: "count by (networkID) (ue_attach_total)", labels: { sharded: "true" } },
        { alert: "NoSeries", expr: "absent(ue_attach_total)", for: "1h" },
      ],
    },
  ],
};

/** A dev stack with everything on, which is fed, with tunnels to those who know about it. */
export class MonitoringWorld {
  private feed: BackgroundCommand | undefined;

  private constructor(
    readonly workspace: Workspace,
    private readonly tunnels: Readonly<Record<DataSource | "alertmanager", PortForward>>,
  ) {}

  /** Deploys the dev stack and starts to feed it. */
  static async create(): Promise<MonitoringWorld> {
    const workspace = await Workspace.create("monitoring", [stack]);
    await restrictedNamespace(stack, workspace.scratch("namespace"));
    await startS3Server(stack, workspace.scratch("s3"));
    mkdirSync(join(workspace.root, "rules"));
    writeFileSync(join(workspace.root, "rules", "rules.yaml"), dump(RULES));
    workspace.writeStack(stack, {
      ...committedConfig("dev"),
      ...(await configManagerConfig()),
      namespace: { name: stack, create: false },
      highAvailability: true,
      rules: "rules",
      objectStorage: s3Config(stack),
      grafana: { dashboards: true },
      monitoring: { storageSize: "512Mi", retention: "6h", scrapeInterval: "5s" },
    });
    await workspace.mustTool(["up", stack, "--no-feed"]);
    const open = (service: string, remotePort: number) =>
      PortForward.open({ target: { namespace: stack }, resource: `svc/${service}`, remotePort });
    const world = new MonitoringWorld(workspace, {
      query: await open(NAMES.query, PORTS.query),
      monitoring: await open(NAMES.monitoring, PORTS.gate),
      alertmanager: await open(NAMES.alertmanager, PORTS.alertmanager),
    });
    const fleet = ["--gateways", "40", "--series", "80", "--unassigned", "50"];
    world.feed = workspace.startTool(["feed", stack, ...fleet, "--interval", "10", "--duration", "1800"]);
    return world;
  }

  /** Every expression of every dashboard of this stack. */
  expressions(): readonly PanelExpression[] {
    return expressionsOf(dashboardsOf(parseConfig({ createThanos: true })));
  }

  api(source: DataSource): PrometheusApi {
    return new PrometheusApi(this.tunnels[source].url);
  }

  /** How many series an expression gives. */
  async count({ source, expr }: Pick<PanelExpression, "source" | "expr">): Promise<number> {
    return (await this.api(source).vector(expr)).samples.length;
  }

  /** Rules that are not evaluated without an error, with their state. */
  async unhealthyRules(): Promise<readonly string[]> {
    const answer = await fetch(`${this.tunnels.monitoring.url}/api/v1/rules`);
    const rules = rulesSchema.parse(await answer.json()).data.groups.flatMap((group) => group.rules);
    if (rules.length === 0) return ["there is no rule"];
    return rules.filter(({ health }) => health !== "ok").map(({ name, health }) => `${name}: ${health}`);
  }

  /** Memory that all pods of the cluster keep, in bytes, as the kubelets see it. */
  async podMemory(): Promise<number> {
    const nodes = (await kubectl({}, ["get", "nodes", "--output", "name"])).trim().split("\n");
    const texts = await Promise.all(
      nodes.map((node) =>
        kubectl({}, ["get", "--raw", `/api/v1/nodes/${node.replace("node/", "")}/proxy/metrics/resource`]),
      ),
    );
    const values = texts.join("\n").matchAll(/^pod_memory_working_set_bytes\{.*?\} (\S+)/gm);
    return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  /** Labels of the alerts that Alertmanager shows. */
  async alerts(): Promise<readonly Readonly<Record<string, string>>[]> {
    const answer = await fetch(`${this.tunnels.alertmanager.url}/api/v2/alerts`);
    return alertsSchema.parse(await answer.json()).map(({ labels }) => labels);
  }

  async close(): Promise<void> {
    await this.feed?.stop("SIGINT");
    for (const tunnel of Object.values(this.tunnels)) await tunnel.close();
    await this.workspace.remove();
  }
}
