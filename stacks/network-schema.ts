import { z } from "zod";
import * as kit from "./schema-kit";
import type { Violation } from "./violation";

const peers = z.array(
  kit.object({
    namespaces: kit.labelMap().optional(),
    pods: kit.labelMap().optional(),
    cidr: kit.cidr().optional(),
  }),
  { error: "a list of peers: namespaces and pods by their labels, or a cidr" },
);

const EVERY_NAMESPACE = [{ namespaces: {} }];

/** The config key `networkPolicies`. */
export const networkPolicies = kit
  .object({
    enabled: kit
      .flag()
      .default(true)
      .describe("Let nothing through but the pipeline's own connections, and those of `allowFrom`."),
    allowFrom: kit
      .object({
        push: peers.default(EVERY_NAMESPACE).describe("Who may push; default: every pod of the cluster."),
        query: peers.default(EVERY_NAMESPACE).describe("Who may ask queries; default: every pod of the cluster."),
        alertmanager: peers.default([]).describe("Who may see and silence alerts; default: only a port-forward."),
        configManager: peers
          .default([])
          .describe("Who may change rules and receivers with `configManager`; default: only a port-forward."),
      })
      .prefault({})
      .describe("Who may open connections from outside the pipeline."),
  })
  .prefault({})
  .describe(
    "Default-deny NetworkPolicies with one for each connection. A cluster whose network ignores them is not harmed.",
  );

/** A peer is pods or addresses, never both and never neither. */
export function networkPeers(value: z.output<typeof networkPolicies>): readonly Violation[] {
  return Object.entries(value.allowFrom).flatMap(([who, list]) =>
    list.flatMap((peer, index) => {
      const isPods = peer.namespaces !== undefined || peer.pods !== undefined;
      if (isPods !== (peer.cidr !== undefined)) return [];
      return [
        {
          path: `networkPolicies.allowFrom.${who}[${String(index)}]`,
          value: peer,
          rule: "a peer is either pods (namespaces, pods, or both) or addresses (cidr)",
          fix: isPods ? "make two peers of it" : "write {namespaces: {}} for every pod, or {cidr: 10.0.0.0/8}",
        },
      ];
    }),
  );
}
