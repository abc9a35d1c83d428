import type { BucketUser } from "../infra/bucket-roles";
import type { ObjectStoreArgs } from "../infra/object-store";
import type { BucketReach } from "../model/edges";
import type { PodComponent } from "../model/parts";
import type { Config } from "./config";

/** A bucket that the stack makes, as plain data. */
export interface CreatedBucketPlan extends Omit<ObjectStoreArgs, "identity"> {
  /** IAM OpenID Connect provider of the cluster (IRSA); default: EKS Pod Identity. */
  readonly oidcProvider?: string;
}

/** Folder in a bucket of one's own: the roles end at it, so that a second pipeline can be let in beside it later. */
const DEFAULT_PREFIX = "blocks";

/** The part whose pods each role is for; a part's service account is called after it. */
const SERVICE_ACCOUNTS: Readonly<Record<BucketUser, PodComponent>> = {
  sidecar: "prometheus",
  ruler: "ruler",
  store: "store",
  compactor: "compactor",
};

/** Folder of the bucket that the blocks are in; undefined: the bucket's root. */
export function blocksPrefix({ objectStorage: storage }: Pick<Config, "objectStorage">): string | undefined {
  const isCreated = storage?.type === "s3" && storage.create !== undefined;
  return storage?.prefix ?? (isCreated ? DEFAULT_PREFIX : undefined);
}

/** The bucket that a config has the stack make; undefined where there is none. */
export function createdBucketPlan(config: Config): CreatedBucketPlan | undefined {
  const { objectStorage: storage, namespace, deletionProtection } = config;
  if (storage?.type !== "s3" || storage.create === undefined) return undefined;
  const { restorableDays, accessLogs, oidcProvider } = storage.create;
  return {
    region: storage.region,
    namespace: namespace.name,
    serviceAccounts: SERVICE_ACCOUNTS,
    prefix: blocksPrefix(config) ?? DEFAULT_PREFIX,
    restorableDays,
    ...(accessLogs === undefined ? {} : { accessLogs }),
    ...(oidcProvider === undefined ? {} : { oidcProvider }),
    isProtected: deletionProtection,
  };
}

/** How the parts come to their bucket. */
export function bucketReach({ objectStorage: storage }: Pick<Config, "objectStorage">): BucketReach {
  if (storage?.type !== "s3" || storage.create === undefined) return "configured";
  return storage.create.oidcProvider === undefined ? "podIdentity" : "irsa";
}
