import * as pulumi from "@pulumi/pulumi";
import { Alertmanager } from "../components/alertmanager";
import { ConfigManager } from "../components/config-manager";
import { Compactor } from "../components/compactor";
import { Exporter } from "../components/exporter";
import { GrafanaFiles } from "../components/grafana-files";
import { Leaf } from "../components/leaf";
import { Monitoring } from "../components/monitoring";
import { Namespace } from "../components/namespace";
import { NetworkPolicies } from "../components/network-policies";
import { Placement } from "../components/placement";
import { Querier } from "../components/querier";
import { QuerierPods } from "../components/querier-pods";
import { QueryFrontend } from "../components/query-frontend";
import { QueryEndpoint } from "../components/query-endpoint";
import { Ruler } from "../components/ruler";
import type { RuleFile } from "../components/rules/rule-file";
import { ServicesBundle } from "../components/services-bundle";
import { Shard } from "../components/shard";
import { StorageSecret } from "../components/storage-secret";
import { StoreGateway } from "../components/store-gateway";
import { clusterAccess } from "../infra/cluster-access";
import type { EksIdentity } from "../infra/eks-access";
import { createObjectStore, type ObjectStore } from "../infra/object-store";
import { NAMES } from "../model/names";
import type { Config } from "./config";
import type { CreatedBucketPlan } from "./created-bucket-plan";
import type { StackOutputs } from "./outputs";
import { buildTopology } from "./topology";

/** Makes the bucket of a stack that has none yet. */
function createdStore(plan: CreatedBucketPlan, eks: EksIdentity | undefined): ObjectStore {
  const { oidcProvider, ...args } = plan;
  if (oidcProvider !== undefined) {
    return createObjectStore({ ...args, identity: { kind: "irsa", providerArn: oidcProvider } });
  }
  // parseConfig has refused it.
  if (eks === undefined) throw new Error("EKS Pod Identity needs an EKS cluster");
  return createObjectStore({ ...args, identity: { kind: "podIdentity", eks } });
}

/**
 * The metrics pipeline. Order: shards with their leaves, then the Queriers that list them, then the exporters that send to them, so that
 * a shard gets series only when every answer includes it. Pulumi deletes last, so a hub goes after the exporters left it.
 * The Rulers come before the Queriers too: every answer holds what they recorded. The Service by which they ask the Queriers comes
 * before both, so that they find those of an earlier version.
 * @param services Files of the bundle of our own services by name.
 * @param rules The tenants' rules.
 */
export function pipeline(
  config: Config,
  services: Readonly<Record<string, string>>,
  rules: readonly RuleFile[] = [],
): StackOutputs {
  const topology = buildTopology(config, services, rules);
  const { platform } = topology;
  const { objectStorage } = topology;
  const { provider, eks } = clusterAccess(config.cluster);
  const store = objectStorage?.created === undefined ? undefined : createdStore(objectStorage.created, eks);
  const namespace = new Namespace(
    "namespace",
    {
      namespace: platform.namespace,
      create: config.namespace.create,
      isProtected: config.deletionProtection,
      labels: platform.labels,
      components: topology.components,
      ...(store === undefined ? {} : { annotations: store.annotations }),
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
  // Made before every pod and deleted after it: a hub that goes still has to be scraped a last time.
  const edges =
    topology.networkPolicies === undefined
      ? []
      : [new NetworkPolicies("network", topology.networkPolicies, { provider, dependsOn: namespace })];
  const after = (...others: readonly pulumi.Resource[]): pulumi.ComponentResourceOptions => ({
    provider,
    dependsOn: [namespace, bundle, ...edges, ...others],
  });
  new Alertmanager(platform, topology.alertmanager, after());
  if (topology.configManager !== undefined) new ConfigManager(platform, topology.configManager, after());
  // The bucket's settings and roles come before the Secret, and the Secret before every part that reads or writes there.
  const secret =
    objectStorage === undefined
      ? []
      : [
          new StorageSecret(
            platform,
            NAMES.objectStorage,
            { ...objectStorage.secret, ...(store === undefined ? {} : { createdBucket: store.bucket }) },
            after(...(store?.ready ?? [])),
          ),
        ];
  if (objectStorage !== undefined) new Compactor(platform, objectStorage.compactor, after(...secret));
  const shards = topology.shards.map((shard) => new Shard(platform, shard, after(...secret)));
  const querierPods = topology.querier === undefined ? [] : [new QuerierPods(platform, after())];
  const rulers =
    topology.ruler === undefined ? [] : [new Ruler(platform, topology.ruler, after(...secret, ...querierPods))];
  const gateways =
    objectStorage === undefined ? [] : [new StoreGateway(platform, objectStorage.rulerGateway, after(...secret))];
  const leaves =
    topology.rulerLeaf === undefined ? [] : [new Leaf(platform, topology.rulerLeaf, after(...rulers, ...gateways))];
  const listed = [...shards, ...leaves];
  const answering =
    topology.querier === undefined
      ? shards
      : [new Querier(platform, topology.querier, after(...querierPods, ...listed))];
  const frontends =
    topology.queryFrontend === undefined
      ? []
      : [new QueryFrontend(platform, topology.queryFrontend, after(...answering))];
  new QueryEndpoint(platform, { answeredBy: topology.answeredBy }, after(...answering, ...frontends));
  // After the Queriers, because keys move to a new shard with its ring. Exporters are ready when they have the ring's table.
  if (topology.placement !== undefined) new Placement(platform, topology.placement, after(...answering));
  new Exporter(platform, topology.exporter, after(...answering));
  if (topology.monitoring !== undefined) new Monitoring(platform, topology.monitoring, after());
  if (topology.grafana !== undefined) new GrafanaFiles(platform, topology.grafana, after());
  return store === undefined ? topology.outputs : { ...topology.outputs, bucket: store.bucket };
}
