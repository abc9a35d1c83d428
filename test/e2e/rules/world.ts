import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { NAMES, PORTS, prometheusName } from "../../../model/names";
import { PortForward } from "../../../tools/port-forward";
import { keyOfShard, Pipeline } from "../kit/pipeline";
import { committedConfig, Workspace, type StackConfig } from "../kit/workspace";
import { configManagerConfig } from "./configmanager";

/** Stacks of this suite; each has the namespace of its name. */
export const stacks = { sharded: "e2e-rules", single: "e2e-rules-one" } as const;

/** Shards of the sharded stack. */
export const shardCount = 2;

/** Seconds between evaluations of groups without an interval of their own, and between scrapes. */
export const evaluationSeconds = 5;
export const scrapeSeconds = 2;

/** Files of the rules directory; the alert is true only over both shards, each of which has two of the series. */
export const ruleFiles = {
  "alerts.yaml": `groups:
  - name: alerts
    rules:
      - alert: SpansShards
        expr: count(e2e_span) > 3
        labels: { severity: page }
        annotations: { summary: "{{ $value }} series over all shards" }
`,
  "sharded.yaml": `groups:
  - name: sharded
    interval: 2s
    rules:
      - record: network:e2e_moving:sum
        expr: sum by (network) (e2e_moving)
        labels: { sharded: "true" }
`,
} as const;

const alertsSchema = z.array(
  z.object({ labels: z.record(z.string(), z.string()), status: z.object({ state: z.string() }), startsAt: z.string() }),
);
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(z.object({ file: z.string(), rules: z.array(z.object({ name: z.string() })) })),
  }),
});

/** What the tests of this suite share. */
export class World {
  private readonly pipelines = new Map<string, Pipeline>();
  private pushing: NodeJS.Timeout | undefined;
  private readonly failures: string[] = [];

  private constructor(readonly workspace: Workspace) {}

  static async create(): Promise<World> {
    const world = new World(await Workspace.create("rules", Object.values(stacks)));
    world.writeRules(ruleFiles);
    const rules = { query: { replicas: 1, evaluationInterval: `${String(evaluationSeconds)}s` }, rules: "rules" };
    const push = { exporterReplicas: 1, scrapeInterval: `${String(scrapeSeconds)}s` };
    const managed = await configManagerConfig();
    for (const [stack, committed, more] of [
      [stacks.sharded, "dev", managed],
      [stacks.single, "single", {}],
    ] as const) {
      world.configure(stack, { ...committedConfig(committed), namespace: { name: stack }, push, ...rules, ...more });
    }
    return world;
  }

  /** Writes a stack file. */
  configure(stack: string, config: StackConfig): void {
    this.workspace.writeStack(stack, config);
  }

  /** Makes the rules directory hold exactly these files. */
  writeRules(files: Readonly<Record<string, string>>): void {
    const folder = join(this.workspace.root, "rules");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  }

  /** Deploys without a feed; the moment when `up` ended. */
  async deploy(stack: string): Promise<number> {
    await this.workspace.mustTool(["up", stack, "--no-feed"]);
    return Date.now();
  }

  /** Tunnels to a stack that is up. */
  async pipeline(stack: string): Promise<Pipeline> {
    const known = this.pipelines.get(stack) ?? (await Pipeline.open(stack));
    this.pipelines.set(stack, known);
    return known;
  }

  /** Two series on every shard, `e2e_span`, and as many whose values change every second, `e2e_moving`. */
  body(now: number): string {
    const keys = Array.from({ length: shardCount }, (_, shard) =>
      ["a", "b"].map((part) => keyOfShard(shard, shardCount, part)),
    );
    const lines = keys.flat().map((key, index) => {
      const labels = `gatewayID="${key}",network="n${String(index % 2)}"`;
      const moving = Math.floor(now / 1_000) * (index + 1);
      // One tenant has one series on each shard.
      const tenant = `e2e_tenant{${labels},networkID="tenant-${index % 2 === 0 ? "a" : "b"}"} 1 ${String(now)}\n`;
      return `e2e_span{${labels}} 1 ${String(now)}\ne2e_moving{${labels}} ${String(moving)} ${String(now)}\n${tenant}`;
    });
    return lines.join("");
  }

  /** Pushes every half second from now on. */
  async startPushing(stack: string): Promise<void> {
    const pipeline = await this.pipeline(stack);
    this.stopPushing();
    this.pushing = setInterval(() => {
      pipeline.push(this.body(Date.now())).then(
        ({ status, text }) => {
          if (status !== 200) this.failures.push(`${String(status)} ${text}`);
        },
        (error: unknown) => this.failures.push(String(error)),
      );
    }, 500);
  }

  stopPushing(): void {
    clearInterval(this.pushing);
  }

  /** Alerts that Alertmanager shows. */
  async alerts(stack: string): Promise<z.infer<typeof alertsSchema>> {
    return this.ask(stack, `svc/${NAMES.alertmanager}`, PORTS.alertmanager, "/api/v2/alerts", alertsSchema);
  }

  /** Names of the rules that one pod evaluates, without those of prometheus-configmanager. */
  async rulesOf(stack: string, part: "ruler-0" | "ruler-1" | number): Promise<readonly string[]> {
    return this.namesOf(stack, part, (file) => !file.includes("/managed-rules/"));
  }

  /** Names of the rules of prometheus-configmanager that one Ruler evaluates. */
  async managedRulesOf(stack: string, part: "ruler-0" | "ruler-1"): Promise<readonly string[]> {
    return this.namesOf(stack, part, (file) => file.includes("/managed-rules/"));
  }

  /** The configuration that Alertmanager runs with. */
  async alertmanagerConfig(stack: string): Promise<string> {
    const schema = z.object({ config: z.object({ original: z.string() }) });
    const service = `svc/${NAMES.alertmanager}`;
    return (await this.ask(stack, service, PORTS.alertmanager, "/api/v2/status", schema)).config.original;
  }

  private async namesOf(
    stack: string,
    part: "ruler-0" | "ruler-1" | number,
    isMeant: (file: string) => boolean,
  ): Promise<readonly string[]> {
    const pod = typeof part === "number" ? `pod/${prometheusName(part, "a")}-0` : `pod/${part}`;
    const port = typeof part === "number" ? PORTS.gate : PORTS.thanosHttp;
    const { data } = await this.ask(stack, pod, port, "/api/v1/rules", rulesSchema);
    const groups = data.groups.filter(({ file }) => isMeant(file));
    return groups.flatMap(({ rules }) => rules.map(({ name }) => name)).sort();
  }

  private async ask<T>(
    stack: string,
    resource: string,
    remotePort: number,
    path: string,
    schema: z.ZodType<T>,
  ): Promise<T> {
    const tunnel = await PortForward.open({ target: { namespace: stack }, resource, remotePort });
    try {
      return schema.parse(await (await fetch(`${tunnel.url}${path}`)).json());
    } finally {
      await tunnel.close();
    }
  }

  async close(): Promise<void> {
    this.stopPushing();
    for (const pipeline of this.pipelines.values()) await pipeline.close();
    await this.workspace.remove();
  }
}
