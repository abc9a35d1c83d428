import { partsNamed, replicaKey } from "../kit/pipeline";
import { at } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** Every hub has exactly one Prometheus, and one pod: a hub empties itself when scraped. */
export const oneHubPerPrometheus = stackPolicy(
  {
    name: "one-hub-per-prometheus",
    description: "Every hub has exactly one Prometheus, and one pod: a hub empties itself when scraped.",
    severity: "critical",
    remediation: "make hubs and Prometheus servers in pairs, as components/shard-pair.ts does, with one replica each",
    url: "https://github.com/facebookarchive/prometheus-edge-hub#readme",
  },
  (resources) => {
    const [hubs, servers] = [partsNamed(resources, "hub"), partsNamed(resources, "prometheus")];
    return [
      ...[...hubs, ...servers]
        .filter(({ spec }) => at(spec, "replicas") !== 1)
        .map(({ name, resource, spec }) => ({
          message: `${name} has ${JSON.stringify(at(spec, "replicas"))} replicas, not 1`,
          urn: resource.urn,
        })),
      ...hubs.flatMap((hub) => {
        const count = servers.filter((each) => replicaKey(each) === replicaKey(hub)).length;
        if (count === 1) return [];
        return [{ message: `${hub.name} has ${String(count)} Prometheus servers`, urn: hub.resource.urn }];
      }),
      ...servers.flatMap((server) => {
        const count = hubs.filter((each) => replicaKey(each) === replicaKey(server)).length;
        // None is right for a retired shard.
        if (count <= 1) return [];
        return [{ message: `${server.name} has ${String(count)} hubs`, urn: server.resource.urn }];
      }),
    ];
  },
);
