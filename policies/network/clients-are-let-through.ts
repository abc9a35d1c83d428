import { clients } from "../kit/clients";
import { isAllowed, networkPolicies } from "../kit/network";
import { stackPolicy } from "../kit/policy";

/** Whoever has the address of a Service in its configuration is let through to it. */
export const clientsAreLetThrough = stackPolicy(
  {
    name: "clients-are-let-through",
    description: "Whoever has the address of a Service in its configuration is let through to it.",
    severity: "high",
    remediation: "add the connection to model/edges.ts",
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
  },
  (resources) => {
    const policies = networkPolicies(resources);
    return clients(resources)
      .filter(({ client, server, port }) => !isAllowed(policies, client, server, port))
      .map(({ client, server, service, port }) => ({
        message: `${client.name} is configured with ${service.name}, but may not connect to port ${String(port)} of ${server.name}`,
        urn: client.resource.urn,
      }));
  },
);
