import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/kubernetes/provider";
import { PROJECT } from "../model/names";

/** How a cluster that exists is reached. */
export interface KubeconfigCluster {
  readonly kind: "kubeconfig";
  /** Kubeconfig file; `~` is the home folder; default: the variable KUBECONFIG, then Pulumi's own default. */
  readonly path?: string | undefined;
  /** Context of the kubeconfig; default: its current context. */
  readonly context?: string | undefined;
}

/**
 * What tells one cluster from another for Pulumi: only a change of this replaces the provider and everything in it.
 * From config alone, so that a renewed certificate or token in the kubeconfig changes nothing.
 */
export function clusterIdentifier(cluster: KubeconfigCluster): string {
  if (cluster.context !== undefined) return `context:${cluster.context}`;
  return cluster.path === undefined ? "ambient" : `kubeconfig:${cluster.path}`;
}

/** Absolute path of a kubeconfig file as config names it; a relative one counts from the repository's root. */
export function kubeconfigPath(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(__dirname, "..", path);
}

/**
 * The Kubernetes provider of a stack.
 * @throws pulumi.RunError when config names a kubeconfig that does not exist.
 */
export function kubernetesProvider(cluster: KubeconfigCluster): Provider {
  const kubeconfig = cluster.path === undefined ? undefined : kubeconfigPath(cluster.path);
  if (kubeconfig !== undefined && !existsSync(kubeconfig)) {
    throw new pulumi.RunError(
      `the stack's config has 1 problem:\n\n  ${PROJECT}:cluster.path is ${JSON.stringify(cluster.path)}\n` +
        `    rule: a kubeconfig file that exists (looked for ${kubeconfig})\n` +
        "    fix:  correct the path, or take the key out for the variable KUBECONFIG\n",
    );
  }
  return namedProvider(clusterIdentifier(cluster), {
    ...(cluster.context === undefined ? {} : { context: cluster.context }),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  });
}

/** Which kubeconfig a provider reads: its text or its path, and a context of it. */
export interface ProviderAccess {
  readonly kubeconfig?: pulumi.Input<string>;
  readonly context?: string;
}

/** A Kubernetes provider for a cluster; only a change of `identifier` replaces it and everything in it. */
export function namedProvider(identifier: string, access: ProviderAccess, options?: pulumi.ResourceOptions): Provider {
  return new Provider(
    "cluster",
    {
      ...access,
      clusterIdentifier: identifier,
      // Configuration is reloaded from maps and secrets, which must not be replaced under the running pods.
      enableConfigMapMutable: true,
      enableSecretMutable: true,
      kubeClientSettings: { burst: 100, qps: 50 },
    },
    options,
  );
}
