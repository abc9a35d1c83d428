/** A cluster of a kubeconfig. */
export interface KubeconfigConnection {
  readonly kind: "kubeconfig";
  /** Kubeconfig file; `~` is the home folder. */
  readonly path?: string | undefined;
  readonly context?: string | undefined;
}

/** An EKS cluster that exists. */
export interface EksConnection {
  readonly kind: "eks";
  readonly name: string;
  /** AWS region. */
  readonly region: string;
}

/** A cluster that another stack made with `program: cluster`. */
export interface StackConnection {
  readonly kind: "stack";
  /** `stack`, or `organization/project/stack`. */
  readonly ref: string;
}

/** How a stack finds its cluster. */
export type ClusterConnection = KubeconfigConnection | EksConnection | StackConnection;

/** Outputs of a stack with `program: cluster`, by which another one finds the cluster. */
export const CLUSTER_OUTPUTS = {
  name: "clusterName",
  arn: "clusterArn",
  region: "region",
  endpoint: "endpoint",
  /** Base64 of the API server's certificate authority. */
  certificateAuthority: "certificateAuthority",
} as const;

/** StorageClass that `program: cluster` makes: encrypted volumes that grow and are kept. */
export const ENCRYPTED_STORAGE_CLASS = "encrypted-gp3";
