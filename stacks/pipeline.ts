import * as pulumi from "@pulumi/pulumi";
import { Alertmanager } from "../components/alertmanager";
import { Exporter } from "../components/exporter";
import { GrafanaFiles } from "../components/grafana-files";
import { Monitoring } from "../components/monitoring";
import { Namespace } from "../components/namespace";
import { Querier } from "../components/querier";
import { QueryEndpoint } from "../components/query-endpoint";
import { ServicesBundle } from "../components/services-bundle";
import { Shard } from "../components/shard";
import { kubernetesProvider } from "../infra/kubernetes-provider";
import type { Config } from "./config";
import { buildTopology, type StackOutputs } from "./topology";

/**
 * The metrics pipeline. Order: shards, then the Queriers that list them, then the exporters that send to them, so that
 * a shard gets series only when every answer includes it. Pulumi deletes last, so a hub goes after the exporters left it.
 * @param services Files of the bundle of our own services by name.
 */
export function pipeline(config: Config, services: Readonly<Record<string, string>>): StackOutputs {
  const topology = buildTopology(config, services);
  const { platform } = topology;
  const provider = kubernetesProvider(config.cluster);
  const namespace = new Namespace(
    "namespace",
    {
      namespace: platform.namespace,
      create: config.namespace.create,
      isProtected: config.deletionProtection,
      labels: platform.labels,
      components: topology.components,
    },
    { provider },
  );
  const bundle = new ServicesBundle(
    "services",
    {
      namespace: platform.namespace,
      labels: platform.labels,
      mapName: platform.servicesMap,
      files: topology.services,
    },
    { provider, dependsOn: namespace },
  );
  const after = (...others: readonly pulumi.Resource[]): pulumi.ComponentResourceOptions => ({
    provider,
    dependsOn: [namespace, bundle, ...others],
  });
  new Alertmanager(platform, topology.alertmanager, after());
  const shards = topology.shards.map((shard) => new Shard(platform, shard, after()));
  const answering =
    topology.querier === undefined ? shards : [new Querier(platform, topology.querier, after(...shards))];
  new QueryEndpoint(platform, { answeredBy: topology.answeredBy }, after(...answering));
  new Exporter(platform, topology.exporter, after(...answering));
  if (topology.monitoring !== undefined) new Monitoring(platform, topology.monitoring, after());
  if (topology.grafana !== undefined) new GrafanaFiles(platform, topology.grafana, after());
  return topology.outputs;
}
