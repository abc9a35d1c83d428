import { POD_IDENTITY_AGENT } from "./aws";
import { PORTS } from "./names";
import type { PodComponent } from "./parts";

/**
 * Who talks to whom: the only list of the pipeline's connections. The NetworkPolicies are made from it, and a test and a
 * policy hold every Service and every address in a config file against it.
 */

/** Who may be at the other end, outside the pipeline's own pods. */
export type Outsider =
  /** Whoever pushes samples. */
  | "push"
  /** Whoever asks queries. */
  | "query"
  /** Whoever looks at alerts and silences them. */
  | "alertmanager"
  /** Whoever changes rules and receivers over prometheus-configmanager's API, which asks nobody who they are. */
  | "configManager"
  /** Where notifications go: any address, because only the receivers' config knows. */
  | "receivers"
  /** The server of the bucket: any address, because only the object storage's config knows, or because S3 has many. */
  | "bucket"
  /** The agent on the node that gives pods the credentials of their role (EKS Pod Identity). */
  | "podIdentity";

/** How the parts come to their bucket. */
export type BucketReach =
  /** A server that only the config knows. */
  | "configured"
  /** S3, with roles by the tokens of service accounts (IRSA), which STS takes on the same port as S3. */
  | "irsa"
  /** S3, with roles by the node's agent. */
  | "podIdentity";

/** One end of an edge: a part, or somebody outside. */
export type EdgeEnd = PodComponent | { readonly outside: Outsider };

/** One connection: who opens it, to whom, on which container ports. */
export interface Edge {
  readonly from: EdgeEnd;
  readonly to: EdgeEnd;
  /** Container ports, not those of a Service: NetworkPolicies see what is behind it. Empty: every port. */
  readonly ports: readonly number[];
  /** Only between the two parts of the same replica of the same shard. */
  readonly isWithinReplica?: boolean;
  /** Only in this size. */
  readonly size?: Size;
  /** Only in stacks that have this part too. */
  readonly needs?: PodComponent;
  /** Only in stacks that do not have this part. */
  readonly without?: PodComponent;
  /** Only in stacks whose parts come to their bucket in one of these ways. */
  readonly reach?: readonly BucketReach[];
}

/** Without and with Thanos. */
export type Size = "single" | "sharded";

/** Port of S3 and STS. */
const HTTPS = 443;

/** What one of the parts that work with the bucket opens. The Compactor is there exactly when object storage is. */
function bucketEdges(from: PodComponent): readonly Edge[] {
  const needs = "compactor";
  return [
    { from, to: { outside: "bucket" }, ports: [], needs, reach: ["configured"] },
    { from, to: { outside: "bucket" }, ports: [HTTPS], needs, reach: ["irsa", "podIdentity"] },
    { from, to: { outside: "podIdentity" }, ports: [POD_IDENTITY_AGENT.port], needs, reach: ["podIdentity"] },
  ];
}

/** Every connection in every size. Those whose parts a stack does not have are left out there. */
export const EDGES: readonly Edge[] = [
  { from: { outside: "push" }, to: "exporter", ports: [PORTS.push] },
  { from: "exporter", to: "hub", ports: [PORTS.hub] },
  // A scrape empties a hub: nobody else may.
  { from: "prometheus", to: "hub", ports: [PORTS.hub], isWithinReplica: true },
  { from: { outside: "query" }, to: "prometheus", ports: [PORTS.gate], size: "single" },
  { from: { outside: "query" }, to: "query-frontend", ports: [PORTS.thanosHttp], size: "sharded" },
  { from: { outside: "query" }, to: "querier", ports: [PORTS.thanosHttp], size: "sharded", without: "query-frontend" },
  { from: "query-frontend", to: "querier", ports: [PORTS.thanosHttp], size: "sharded" },
  // Roots know of a shard nothing but its leaf's pods: there the adapter.
  { from: "querier", to: "leaf", ports: [PORTS.thanosGrpc], size: "sharded" },
  // The adapter asks the gate of each replica, the leaf the sidecars.
  { from: "leaf", to: "prometheus", ports: [PORTS.gate, PORTS.thanosGrpc], size: "sharded" },
  { from: "leaf", to: "store", ports: [PORTS.thanosGrpc], size: "sharded" },
  { from: "leaf", to: "ruler", ports: [PORTS.thanosGrpc], size: "sharded" },
  { from: "ruler", to: "querier", ports: [PORTS.thanosHttp], size: "sharded" },
  { from: "ruler", to: "alertmanager", ports: [PORTS.alertmanager], size: "sharded" },
  ...bucketEdges("prometheus"),
  ...bucketEdges("ruler"),
  ...bucketEdges("store"),
  ...bucketEdges("compactor"),
  { from: "prometheus", to: "alertmanager", ports: [PORTS.alertmanager], size: "single" },
  { from: { outside: "alertmanager" }, to: "alertmanager", ports: [PORTS.alertmanager] },
  { from: "alertmanager", to: { outside: "receivers" }, ports: [] },
  // What watches reads metrics only; of a hub that is /internal, which a NetworkPolicy can't tell from /metrics.
  { from: "monitoring", to: "exporter", ports: [PORTS.ops] },
  { from: "monitoring", to: "hub", ports: [PORTS.hub] },
  { from: "monitoring", to: "prometheus", ports: [PORTS.gate, PORTS.ops], size: "single" },
  { from: "monitoring", to: "prometheus", ports: [PORTS.gate, PORTS.ops, PORTS.thanosHttp], size: "sharded" },
  { from: "monitoring", to: "querier", ports: [PORTS.thanosHttp, PORTS.ops], size: "sharded" },
  { from: "monitoring", to: "query-frontend", ports: [PORTS.thanosHttp], size: "sharded" },
  { from: "monitoring", to: "leaf", ports: [PORTS.thanosHttp, PORTS.ops], size: "sharded" },
  { from: "monitoring", to: "ruler", ports: [PORTS.thanosHttp], size: "sharded" },
  { from: "monitoring", to: "store", ports: [PORTS.thanosHttp] },
  { from: "monitoring", to: "compactor", ports: [PORTS.thanosHttp] },
  { from: "monitoring", to: "alertmanager", ports: [PORTS.alertmanager] },
  { from: { outside: "query" }, to: "monitoring", ports: [PORTS.gate] },
  { from: { outside: "configManager" }, to: "configmanager", ports: [PORTS.configManager] },
  {
    from: { outside: "configManager" },
    to: "alertmanager",
    ports: [PORTS.alertmanagerConfigurer],
    needs: "configmanager",
  },
  // Who evaluates rules pulls them, and says in the same request what it runs with: nothing goes the other way.
  { from: "ruler", to: "configmanager", ports: [PORTS.managedRules], size: "sharded" },
  { from: "prometheus", to: "configmanager", ports: [PORTS.managedRules], size: "single" },
  { from: "monitoring", to: "configmanager", ports: [PORTS.ops] },
];

/** The edges of a stack: of its size, between parts that it has, by its way to the bucket. */
export function edgesOf(
  size: Size,
  components: readonly PodComponent[],
  reached: BucketReach = "configured",
): readonly Edge[] {
  const exists = (end: EdgeEnd) => typeof end === "object" || components.includes(end);
  return EDGES.filter(
    ({ from, to, needs, without, reach, size: only }) =>
      (only ?? size) === size &&
      exists(from) &&
      exists(to) &&
      (needs === undefined || components.includes(needs)) &&
      (without === undefined || !components.includes(without)) &&
      (reach === undefined || reach.includes(reached)),
  );
}
