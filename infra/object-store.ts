import * as pulumi from "@pulumi/pulumi";
import { s3Endpoint } from "../model/aws";
import { PROJECT } from "../model/names";
import { accountOf, awsProvider } from "./aws-provider";
import { BlockBucket } from "./bucket";
import { BucketRoles, type BucketRolesArgs, type WorkloadIdentity } from "./bucket-roles";
import { EncryptionKey } from "./encryption-key";

/** Arguments of {@link createObjectStore}. */
export interface ObjectStoreArgs extends Pick<BucketRolesArgs, "namespace" | "serviceAccounts" | "prefix"> {
  readonly region: string;
  /** Days that a deleted or overwritten object can still be restored. */
  readonly restorableDays: number;
  /** Where S3 writes its access logs; default: nowhere. */
  readonly accessLogs?: { readonly bucket: string; readonly prefix: string };
  readonly identity: WorkloadIdentity;
  readonly isProtected: boolean;
}

/** A bucket that this stack made. */
export interface ObjectStore extends Pick<BucketRoles, "annotations"> {
  /** Name of the bucket. */
  readonly bucket: pulumi.Output<string>;
  /** To depend on before anything is written to the bucket. */
  readonly ready: readonly pulumi.Resource[];
}

/** A stack's name as a part of a bucket's, which may be 63 lower-case letters, digits and - in all. */
export function bucketNamePart(stack: string): string {
  const text = stack.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return text.slice(0, 32).replaceAll(/^-|-$/g, "");
}

/** Makes a bucket for blocks with its key, and a role for each part that works with it. */
export function createObjectStore(args: ObjectStoreArgs): ObjectStore {
  const { region, isProtected } = args;
  const provider = awsProvider("aws-storage", region);
  const account = accountOf(provider);
  const prefix = `${PROJECT}-${bucketNamePart(pulumi.getStack())}`;
  const key = new EncryptionKey(
    "blocks",
    {
      description: `Blocks of the metrics pipeline, stack ${pulumi.getStack()}`,
      alias: prefix,
      account,
      viaServices: [s3Endpoint(region)],
      isProtected,
    },
    { provider },
  );
  const bucket = new BlockBucket(
    "blocks",
    {
      namePrefix: prefix,
      keyArn: key.arn,
      restorableDays: args.restorableDays,
      ...(args.accessLogs === undefined ? {} : { accessLogs: args.accessLogs }),
      isProtected,
    },
    { provider },
  );
  const { namespace, serviceAccounts, identity } = args;
  const roles = new BucketRoles(
    "blocks",
    { namespace, serviceAccounts, bucketArn: bucket.arn, keyArn: key.arn, prefix: args.prefix, identity, account },
    { provider },
  );
  return {
    bucket: bucket.bucketName,
    ready: [...bucket.settings, roles],
    annotations: roles.annotations,
  };
}
