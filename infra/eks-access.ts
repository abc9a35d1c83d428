import * as pulumi from "@pulumi/pulumi";
import type { Provider } from "@pulumi/kubernetes/provider";
import { getClusterOutput } from "@pulumi/aws/eks/getCluster";
import { toYaml } from "../components/kit/yaml";
import { CLUSTER_OUTPUTS, type EksConnection, type StackConnection } from "../model/cluster";
import { awsProvider } from "./aws-provider";
import { namedProvider } from "./kubernetes-provider";

/** An EKS cluster, as far as others need it. */
export interface EksIdentity {
  readonly name: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly region: pulumi.Output<string>;
}

/** A way into an EKS cluster. */
export interface EksAccess {
  readonly provider: Provider;
  readonly eks: EksIdentity;
}

/** What a kubeconfig for an EKS cluster is made of. */
export interface EksEndpoint {
  readonly name: string;
  readonly region: string;
  /** `https://...` */
  readonly endpoint: string;
  /** Base64. */
  readonly certificateAuthority: string;
}

/**
 * A kubeconfig that holds no secret: whoever uses it gets a token from the `aws` command with credentials of their own
 * (https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html).
 */
export function eksKubeconfig(cluster: EksEndpoint): string {
  const { name, region, endpoint, certificateAuthority } = cluster;
  return toYaml({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name, cluster: { server: endpoint, "certificate-authority-data": certificateAuthority } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [
      {
        name,
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"],
            interactiveMode: "Never",
          },
        },
      },
    ],
  });
}

/** A provider for an EKS cluster; `identifier` as in `namedProvider`. */
export function eksProvider(
  identifier: string,
  cluster: Readonly<Record<keyof EksEndpoint, pulumi.Input<string>>>,
  options?: pulumi.ResourceOptions,
): Provider {
  const kubeconfig = pulumi
    .all([cluster.name, cluster.region, cluster.endpoint, cluster.certificateAuthority])
    .apply(([name, region, endpoint, certificateAuthority]) =>
      eksKubeconfig({ name, region, endpoint, certificateAuthority }),
    );
  return namedProvider(identifier, { kubeconfig }, options);
}

/** Looks an existing cluster up in AWS. */
export function existingEks(connection: EksConnection): EksAccess {
  const { name, region } = connection;
  const found = getClusterOutput({ name }, { provider: awsProvider("aws-cluster", region) });
  const certificateAuthority = found.certificateAuthorities.apply(([first]) => first?.data ?? "");
  return {
    provider: eksProvider(`eks:${region}/${name}`, { name, region, endpoint: found.endpoint, certificateAuthority }),
    eks: { name: pulumi.output(name), arn: found.arn, region: pulumi.output(region) },
  };
}

/** Full name of a stack: a short one is of this project and organization. */
function fullName(ref: string): string {
  return ref.includes("/") ? ref : `${pulumi.getOrganization()}/${pulumi.getProject()}/${ref}`;
}

/** Reads a cluster from the outputs of the stack that made it. */
export function stackEks(connection: StackConnection): EksAccess {
  const stack = new pulumi.StackReference("cluster-stack", { name: fullName(connection.ref) });
  const get = (key: keyof typeof CLUSTER_OUTPUTS): pulumi.Output<string> =>
    stack.requireOutput(CLUSTER_OUTPUTS[key]).apply((value) => String(value));
  const [name, region] = [get("name"), get("region")];
  return {
    provider: eksProvider(`stack:${connection.ref}`, {
      name,
      region,
      endpoint: get("endpoint"),
      certificateAuthority: get("certificateAuthority"),
    }),
    eks: { name, arn: get("arn"), region },
  };
}
