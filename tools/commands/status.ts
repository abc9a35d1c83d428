/** `status`: what runs, where, how full it is, and how to reach it. */

import type { Deployment } from "../deployment";
import { findDeployment, withQuery } from "../deployment";
import type { Arguments, Command } from "../flags";
import type { Claim, Pod } from "../kubectl";
import { getClaims, getPods } from "../kubectl";
import type { VectorSample } from "../prometheus-api";
import { PrometheusApi, PrometheusApiError } from "../prometheus-api";
import { readStackConfig } from "../stack-config";
import { grouped, table } from "../table";
import { UserError } from "../terminal";

/** One component's pods, counted. */
export interface ComponentStatus {
  readonly component: string;
  readonly pods: number;
  readonly ready: number;
  readonly restarts: number;
  /** Phases and containers of what is not ready. */
  readonly trouble: readonly string[];
}

/** Groups pods by label `app.kubernetes.io/name`. */
export function componentsOf(pods: readonly Pod[]): readonly ComponentStatus[] {
  const byComponent = new Map<string, Pod[]>();
  for (const pod of pods) {
    const component = pod.metadata.labels?.["app.kubernetes.io/name"] ?? "(other)";
    byComponent.set(component, [...(byComponent.get(component) ?? []), pod]);
  }
  return [...byComponent]
    .map(([component, members]): ComponentStatus => {
      const isReady = ({ status }: Pod): boolean =>
        status.containerStatuses.length > 0 && status.containerStatuses.every(({ ready }) => ready);
      return {
        component,
        pods: members.length,
        ready: members.filter(isReady).length,
        restarts: members
          .flatMap(({ status }) => status.containerStatuses)
          .reduce((sum, one) => sum + one.restartCount, 0),
        trouble: members
          .filter((pod) => !isReady(pod))
          .map(({ metadata, status }) => {
            const waiting = status.containerStatuses.filter(({ ready }) => !ready).map(({ name }) => name);
            return `${metadata.name} ${status.phase}${waiting.length === 0 ? "" : ` (${waiting.join(", ")})`}`;
          }),
      };
    })
    .sort((left, right) => (left.component < right.component ? -1 : 1));
}

/** What the root knows about one shard. */
export interface ShardFill {
  readonly series: number;
  readonly hubSize: number | undefined;
  readonly hubLimit: number | undefined;
}

async function byShard(api: PrometheusApi, query: string): Promise<ReadonlyMap<string, number>> {
  const { samples } = await api.vector(query);
  return new Map(samples.map(({ labels, value }: VectorSample) => [labels.shard ?? "", value]));
}

async function fills(url: string): Promise<ReadonlyMap<string, ShardFill>> {
  const api = new PrometheusApi(url, { connectionAttempts: 2, timeoutMilliseconds: 30_000 });
  const series = await byShard(api, `count by (shard) ({__name__=~".+"})`);
  const sizes = await byShard(api, "max by (shard) (max_over_time(hub_size[5m]))");
  const limits = await byShard(api, "max by (shard) (hub_limit)");
  return new Map(
    [...series].map(([shard, count]) => [
      shard,
      { series: count, hubSize: sizes.get(shard), hubLimit: limits.get(shard) },
    ]),
  );
}

function hubFill(fill: ShardFill | undefined): string {
  if (fill?.hubSize === undefined || fill.hubLimit === undefined || fill.hubLimit <= 0) return "?";
  const percent = Math.round((100 * fill.hubSize) / fill.hubLimit);
  return `${grouped(fill.hubSize)} of ${grouped(fill.hubLimit)} (${String(percent)}%)`;
}

function shardRows(
  deployment: Deployment,
  filled: ReadonlyMap<string, ShardFill>,
  claims: readonly Claim[],
): readonly (readonly string[])[] {
  const sizes = new Map(
    claims.map(({ metadata, status }) => [metadata.name, status.capacity?.storage ?? status.phase]),
  );
  return deployment.outputs.shards.flatMap((shard) =>
    shard.replicas.map((replica) => {
      const fill = filled.get(String(shard.index));
      const series = fill === undefined ? "?" : grouped(fill.series);
      const hub = (replica.hub ?? undefined) === undefined ? "none" : hubFill(fill);
      const volume = `${replica.claim} ${sizes.get(replica.claim) ?? "(missing)"}`;
      return [replica.name, shard.retired ? "retired" : "member", series, hub, volume];
    }),
  );
}

async function run(args: Arguments): Promise<number> {
  const deployment = await findDeployment(args.stack);
  const { outputs, target } = deployment;
  const config = readStackConfig(args.stack);
  const [pods, claims] = [await getPods(target), await getClaims(target)];
  const components = componentsOf(pods);
  let filled: ReadonlyMap<string, ShardFill> = new Map();
  let problem: string | undefined;
  try {
    filled = await withQuery(deployment, fills);
  } catch (error) {
    if (!(error instanceof PrometheusApiError) && !(error instanceof UserError)) throw error;
    problem = error.message;
  }
  const allReady = components.every(({ pods: count, ready }) => count === ready);
  if (args.has("json")) {
    const shards = Object.fromEntries(filled);
    const report = { stack: args.stack, namespace: outputs.namespace, ring: outputs.ring, components, shards, problem };
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return allReady && problem === undefined ? 0 : 1;
  }
  const where = target.context ?? target.kubeconfig ?? process.env.KUBECONFIG ?? "kubectl's default";
  const size = config.createThanos
    ? `sharded, ${String(outputs.shards.filter((one) => !one.retired).length)} in the ring`
    : "single";
  const componentRows = components.map(({ component, pods: count, ready, restarts, trouble }) => [
    component,
    `${String(ready)}/${String(count)}`,
    String(restarts),
    trouble.join("; "),
  ]);
  const lines = [
    `stack ${args.stack}: ${size}, ring ${outputs.ring}`,
    `cluster ${where}, namespace ${outputs.namespace}`,
    "",
    ...table(["component", "ready", "restarts", "not ready"], componentRows),
    "",
    ...table(["replica", "ring", "series", "hub, most in 5 m", "volume"], shardRows(deployment, filled, claims)),
    ...(problem === undefined ? [] : ["", `the root gives no answer: ${problem}`]),
    "",
    `in the cluster: query ${outputs.queryUrl}, push ${outputs.pushUrl}, Alertmanager ${outputs.alertmanagerUrl}`,
    "from here:",
    ...Object.values(outputs.portForward).map((command) => `  ${command}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return allReady && problem === undefined ? 0 : 1;
}

export const statusCommand: Command = {
  name: "status",
  summary: "what runs, where, how full, how to reach it",
  usage: "[STACK] [--json]",
  details: ["Exit 1 when a pod is not ready or the root gives no answer."],
  flags: { json: { description: "print JSON" } },
  run,
};
