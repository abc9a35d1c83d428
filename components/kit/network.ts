import type { types } from "@pulumi/kubernetes";
import { POD_IDENTITY_AGENT } from "../../model/aws";
import { replicaName, type ReplicaLetter } from "../../model/names";
import type { Edge, EdgeEnd, Outsider } from "../../model/edges";
import type { PodComponent } from "../../model/parts";
import { ownLabels, selectorLabels, type Labels } from "./labels";

type Spec = types.input.networking.v1.NetworkPolicySpec;
type Peer = types.input.networking.v1.NetworkPolicyPeer;

/** Somebody outside the pipeline: pods by their labels and those of their namespace, or addresses. */
export interface NetworkPeer {
  /** Labels of the namespace; an empty object is every namespace; default: the pipeline's own. */
  readonly namespaces?: Labels | undefined;
  /** Labels of the pods; default: all of them. */
  readonly pods?: Labels | undefined;
  /** Addresses outside the cluster. */
  readonly cidr?: string | undefined;
}

/** Who may open connections from outside, by what they come for. */
export type AllowedPeers = Readonly<
  Record<Exclude<Outsider, "receivers" | "bucket" | "podIdentity">, readonly NetworkPeer[]>
>;

/** One replica of a shard. */
export interface ReplicaId {
  readonly shard: number;
  readonly replica: ReplicaLetter;
}

/** One NetworkPolicy before it is a resource. */
export interface NamedPolicy {
  readonly name: string;
  readonly spec: Spec;
}

/** Ports of DNS; what listens behind the Service is some other port in some clusters, see {@link dnsPolicy}. */
const DNS_PORTS = [
  { protocol: "UDP", port: 53 },
  { protocol: "TCP", port: 53 },
];

/** Nothing may reach these pods, and they reach nothing, but for what other policies allow. */
export function denyPolicy(pods: Labels): NamedPolicy {
  return { name: "default-deny", spec: { podSelector: labelSelector(pods), policyTypes: ["Ingress", "Egress"] } };
}

/**
 * DNS: the cluster's DNS pods on any port, because a policy sees the port behind the Service (5353 is common); and port
 * 53 anywhere, for a cache on the node.
 */
export function dnsPolicy(): NamedPolicy {
  return {
    name: "all-to-dns",
    spec: {
      podSelector: { matchLabels: ownLabels() },
      policyTypes: ["Egress"],
      egress: [
        { to: [{ namespaceSelector: {}, podSelector: { matchLabels: { "k8s-app": "kube-dns" } } }] },
        { ports: DNS_PORTS },
      ],
    },
  };
}

function endName(end: EdgeEnd): string {
  if (typeof end === "string") return end;
  switch (end.outside) {
    case "receivers":
    case "bucket":
      return end.outside;
    case "podIdentity":
      return "pod-identity";
    case "configManager":
      // Alertmanager has an edge from outside already.
      return "config-api";
    case "push":
    case "query":
    case "alertmanager":
      return "outside";
  }
}

function selector(component: PodComponent, id: ReplicaId | undefined): { readonly matchLabels: Labels } {
  return { matchLabels: selectorLabels({ component, ...id }) };
}

function outsidePeers(outside: Outsider, allowed: AllowedPeers): readonly Peer[] | "anybody" {
  if (outside === "receivers" || outside === "bucket") return "anybody";
  if (outside === "podIdentity") return POD_IDENTITY_AGENT.cidrs.map((cidr) => ({ ipBlock: { cidr } }));
  return allowed[outside].map(({ namespaces, pods, cidr }) =>
    cidr === undefined
      ? {
          ...(namespaces === undefined ? {} : { namespaceSelector: labelSelector(namespaces) }),
          ...(pods === undefined ? {} : { podSelector: labelSelector(pods) }),
        }
      : { ipBlock: { cidr } },
  );
}

/** An empty selector selects all; an empty `matchLabels` in it would come back from the API server without it. */
function labelSelector(labels: Labels): { readonly matchLabels?: Labels } {
  return Object.keys(labels).length === 0 ? {} : { matchLabels: labels };
}

/** The two policies of one edge: the target lets it in, the source lets it out. An outsider has none of its own. */
export function edgePolicies(edge: Edge, id: ReplicaId | undefined, allowed: AllowedPeers): readonly NamedPolicy[] {
  const { from, to } = edge;
  const suffix = id === undefined ? "" : `-${replicaName(id.shard, id.replica)}`;
  const ports = edge.ports.length === 0 ? {} : { ports: edge.ports.map((port) => ({ protocol: "TCP", port })) };
  const peers = (end: EdgeEnd): readonly Peer[] | "anybody" =>
    typeof end === "string" ? [{ podSelector: selector(end, id) }] : outsidePeers(end.outside, allowed);
  const policies: NamedPolicy[] = [];
  const sources = peers(from);
  if (typeof to === "string" && sources.length > 0) {
    policies.push({
      name: `${to}${suffix}-from-${endName(from)}`,
      spec: {
        podSelector: selector(to, id),
        policyTypes: ["Ingress"],
        ingress: [{ ...(sources === "anybody" ? {} : { from: [...sources] }), ...ports }],
      },
    });
  }
  const targets = peers(to);
  if (typeof from === "string") {
    policies.push({
      name: `${from}${suffix}-to-${endName(to)}`,
      spec: {
        podSelector: selector(from, id),
        policyTypes: ["Egress"],
        egress: [{ ...(targets === "anybody" ? {} : { to: [...targets] }), ...ports }],
      },
    });
  }
  return policies;
}
