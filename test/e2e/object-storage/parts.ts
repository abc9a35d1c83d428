import { z } from "zod";
import { claimName, leafName, NAMES, PORTS, prometheusName } from "../../../model/names";
import { PortForward } from "../../../tools/port-forward";

/** One endpoint of a leaf, as it sees it. */
export interface Endpoint {
  readonly kind: "sidecar" | "store";
  readonly shard: string;
  /** Oldest timestamp that it can answer for, in milliseconds. */
  readonly minTime: number;
  /** Whether it has blocks that the Compactor has made: those have no replica label. */
  readonly hasCompacted: boolean;
}

const endpointSchema = z.object({
  labelSets: z.array(z.record(z.string(), z.string())).nullish(),
  minTime: z.number(),
});
const storesSchema = z.object({ data: z.record(z.string(), z.array(endpointSchema)) });

/** Sidecars and Store Gateways that the leaves of some shards know; one without any label yet has no blocks. */
export async function endpoints(namespace: string, shards: number): Promise<readonly Endpoint[]> {
  const found: Endpoint[] = [];
  for (let shard = 0; shard < shards; shard++) {
    const resource = `deployment/${leafName(shard)}`;
    const forward = await PortForward.open({ target: { namespace }, resource, remotePort: PORTS.thanosHttp });
    try {
      found.push(...(await endpointsOf(forward.url)));
    } finally {
      await forward.close();
    }
  }
  return found;
}

async function endpointsOf(leafUrl: string): Promise<readonly Endpoint[]> {
  const answer = await fetch(`${leafUrl}/api/v1/stores`);
  const { data } = storesSchema.parse(await answer.json());
  return (["sidecar", "store"] as const).flatMap((kind) =>
    (data[kind] ?? []).map(({ labelSets, minTime }) => ({
      kind,
      shard: labelSets?.[0]?.["shard"] ?? "",
      minTime,
      hasCompacted: labelSets?.some((labels) => labels["prometheus_replica"] === undefined) === true,
    })),
  );
}

/** Pod of a StatefulSet with one replica. */
const podOf = (statefulSet: string): string => claimName(statefulSet).replace(`${NAMES.claimTemplate}-`, "");

/** Sums of a pod's own metrics, by name, over all labels. */
async function metricsOf(namespace: string, pod: string): Promise<(name: string) => number> {
  const forward = await PortForward.open({
    target: { namespace },
    resource: `pod/${pod}`,
    remotePort: PORTS.thanosHttp,
  });
  try {
    const text = await (await fetch(`${forward.url}/metrics`)).text();
    const lines = text.split("\n");
    return (name) =>
      lines
        .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
        .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  } finally {
    await forward.close();
  }
}

/** Metrics of a shard's sidecar. */
export function sidecarMetrics(namespace: string, shard: number): Promise<(name: string) => number> {
  return metricsOf(namespace, podOf(prometheusName(shard, "a")));
}

/** Metrics of the one Compactor. */
export function compactorMetrics(namespace: string): Promise<(name: string) => number> {
  return metricsOf(namespace, podOf(NAMES.compactor));
}
