import type { Resource } from "./policy";
import { at, items, text, textFields, texts } from "./values";

/** Kubernetes' own rules for NetworkPolicies, as far as the pipeline uses them, to tell what is allowed without a cluster. */

const TYPE = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

type Labels = Readonly<Record<string, string>>;

/** A pod in the pipeline's namespace. */
export interface PodEnd {
  readonly labels: Labels;
}

/** Whether a label selector selects these labels; an absent one selects nothing, an empty one everything. */
export function selects(selector: unknown, labels: Labels): boolean {
  if (selector === undefined) return false;
  const wanted = Object.entries(textFields(at(selector, "matchLabels")));
  const expressions = items(at(selector, "matchExpressions"));
  return wanted.every(([key, value]) => labels[key] === value) && expressions.every((each) => expressed(each, labels));
}

function expressed(expression: unknown, labels: Labels): boolean {
  const value = labels[text(at(expression, "key")) ?? ""];
  const values = texts(at(expression, "values"));
  switch (at(expression, "operator")) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}

function portAllowed(rule: unknown, port: number): boolean {
  const ports = at(rule, "ports");
  return (
    ports === undefined || items(ports).some((each) => at(each, "protocol") !== "UDP" && at(each, "port") === port)
  );
}

/** A peer without namespaceSelector and ipBlock is a pod of the same namespace. */
function peerAllowed(peers: unknown, other: Labels): boolean {
  if (peers === undefined) return true;
  return items(peers).some(
    (peer) =>
      at(peer, "ipBlock") === undefined &&
      selects(at(peer, "namespaceSelector") ?? {}, {}) &&
      selects(at(peer, "podSelector") ?? {}, other),
  );
}

function sideAllowed(
  policies: readonly Resource[],
  side: "Ingress" | "Egress",
  self: Labels,
  other: Labels,
  port: number,
): boolean {
  const applying = policies.filter(
    ({ props }) =>
      selects(at(props, "spec", "podSelector"), self) && texts(at(props, "spec", "policyTypes")).includes(side),
  );
  if (applying.length === 0) return true;
  const [key, peers] = side === "Ingress" ? (["ingress", "from"] as const) : (["egress", "to"] as const);
  return applying.some(({ props }) =>
    items(at(props, "spec", key)).some((rule) => portAllowed(rule, port) && peerAllowed(at(rule, peers), other)),
  );
}

/** The NetworkPolicies of a stack. */
export function networkPolicies(resources: readonly Resource[]): readonly Resource[] {
  return resources.filter(({ type }) => type === TYPE);
}

/** Whether one pod may open a TCP connection to a container port of another one in the same namespace. */
export function isAllowed(policies: readonly Resource[], from: PodEnd, to: PodEnd, port: number): boolean {
  return sideAllowed(policies, "Egress", from.labels, to.labels, port) && isLetIn(policies, from, to, port);
}

/** Whether a pod takes TCP connections of another one in the same namespace, whatever that one may do. */
export function isLetIn(policies: readonly Resource[], from: PodEnd, to: PodEnd, port: number): boolean {
  return sideAllowed(policies, "Ingress", to.labels, from.labels, port);
}
