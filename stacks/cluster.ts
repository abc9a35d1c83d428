import type * as pulumi from "@pulumi/pulumi";
import { accountOf, awsProvider } from "../infra/aws-provider";
import { EksNodeAddons, EksPodAddons } from "../infra/eks-addons";
import { EksCluster } from "../infra/eks-cluster";
import { eksProvider } from "../infra/eks-access";
import { EksNodes } from "../infra/eks-nodes";
import { EncryptedStorage } from "../infra/encrypted-storage";
import { EncryptionKey } from "../infra/encryption-key";
import { CLUSTER_OUTPUTS } from "../model/cluster";
import { gibibytes } from "../model/quantities";
import type { EksConfig } from "./schema-aws";

/** What the stack says about itself; the keys are those of `CLUSTER_OUTPUTS`, and two for people. */
export type ClusterStackOutputs = Readonly<Record<string, pulumi.Input<string>>>;

/**
 * An EKS cluster in a stack of its own, so that no change of the pipeline can touch it. The nodes come after the pod
 * network, without which they never get ready, and DNS and volumes after the nodes.
 */
export function cluster(config: {
  readonly eks: EksConfig;
  readonly deletionProtection: boolean;
}): ClusterStackOutputs {
  const { eks, deletionProtection: isProtected } = config;
  const provider = awsProvider("aws", eks.region);
  const account = accountOf(provider);
  const key = new EncryptionKey(
    "cluster",
    {
      description: `Secrets and volumes of EKS cluster ${eks.name}`,
      alias: `eks/${eks.name}`,
      account,
      isProtected,
    },
    { provider },
  );
  const { cluster: made } = new EksCluster(
    "cluster",
    {
      clusterName: eks.name,
      version: eks.version,
      vpcId: eks.vpcId,
      subnetIds: eks.subnetIds,
      endpoint: eks.endpoint,
      administrators: eks.administrators,
      logRetentionDays: eks.logRetentionDays,
      account,
      keyArn: key.arn,
      isProtected,
    },
    { provider },
  );
  const network = new EksNodeAddons("node-addons", { cluster: made, account }, { provider });
  const nodes = new EksNodes(
    "nodes",
    {
      cluster: made,
      clusterName: eks.name,
      subnetIds: eks.subnetIds,
      instanceTypes: eks.nodes.instanceTypes,
      perSubnet: eks.nodes.perSubnet,
      diskGibibytes: gibibytes(eks.nodes.diskSize),
      account,
    },
    { provider, dependsOn: network },
  );
  const addons = new EksPodAddons(
    "pod-addons",
    { cluster: made, account, keyArn: key.arn },
    { provider, dependsOn: nodes },
  );
  const access = {
    name: made.name,
    region: eks.region,
    endpoint: made.endpoint,
    certificateAuthority: made.certificateAuthority.data,
  };
  const kubernetes = eksProvider(`eks:${eks.region}/${eks.name}`, access, { dependsOn: nodes });
  new EncryptedStorage("storage", { keyArn: key.arn }, { provider: kubernetes, dependsOn: addons });
  return {
    [CLUSTER_OUTPUTS.name]: access.name,
    [CLUSTER_OUTPUTS.arn]: made.arn,
    [CLUSTER_OUTPUTS.region]: access.region,
    [CLUSTER_OUTPUTS.endpoint]: access.endpoint,
    [CLUSTER_OUTPUTS.certificateAuthority]: access.certificateAuthority,
    kubeconfig: `aws eks update-kubeconfig --region ${eks.region} --name ${eks.name}`,
  };
}
