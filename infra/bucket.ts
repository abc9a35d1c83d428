import * as pulumi from "@pulumi/pulumi";
import { Bucket } from "@pulumi/aws/s3/bucket";
import { BucketLifecycleConfiguration } from "@pulumi/aws/s3/bucketLifecycleConfiguration";
import { BucketLogging } from "@pulumi/aws/s3/bucketLogging";
import { BucketOwnershipControls } from "@pulumi/aws/s3/bucketOwnershipControls";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning";
import { RandomId } from "@pulumi/random/randomId";
import { Component } from "../components/kit/component";
import { bucketPolicy, policyText } from "./policy-documents";

/** Arguments of {@link BlockBucket}. */
export interface BlockBucketArgs {
  /** Start of the bucket's name, which gets a random end: names of buckets are unique in the world. */
  readonly namePrefix: string;
  readonly keyArn: pulumi.Input<string>;
  /** Days that a deleted or overwritten object can still be restored. */
  readonly restorableDays: number;
  /** Where S3 writes its access logs; default: nowhere. */
  readonly accessLogs?: { readonly bucket: string; readonly prefix: string };
  /** Refuse to delete or replace the bucket. */
  readonly isProtected: boolean;
}

/** Days until S3 throws the parts of an upload away that was never completed. */
const ABANDONED_UPLOAD_DAYS = 3;

/**
 * The bucket for blocks: under a key of one's own, TLS only, nothing public, no ACLs, versioned. It outlives the stack.
 * Nothing but the Compactor expires blocks: lifecycle rules touch old versions and abandoned uploads only.
 */
export class BlockBucket extends Component {
  readonly bucketName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  /** To depend on before anything is written. */
  readonly settings: readonly pulumi.Resource[];

  constructor(name: string, args: BlockBucketArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("BlockBucket", name, options);
    const kept = { protect: args.isProtected, retainOnDelete: true };
    const suffix = new RandomId(name, { byteLength: 4 }, this.child());
    const made = new Bucket(
      name,
      { bucket: pulumi.interpolate`${args.namePrefix}-${suffix.hex}`, forceDestroy: false },
      this.child(kept),
    );
    const bucket = made.bucket;
    // What makes the bucket safe stays with it.
    const child = this.child({ retainOnDelete: true });
    const versioning = new BucketVersioning(name, { bucket, versioningConfiguration: { status: "Enabled" } }, child);
    const access = new BucketPublicAccessBlock(
      name,
      { bucket, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      child,
    );
    this.settings = [
      access,
      versioning,
      new BucketOwnershipControls(name, { bucket, rule: { objectOwnership: "BucketOwnerEnforced" } }, child),
      new BucketServerSideEncryptionConfiguration(
        name,
        {
          bucket,
          rules: [
            {
              applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: args.keyArn },
              bucketKeyEnabled: true,
            },
          ],
        },
        child,
      ),
      new BucketPolicy(
        name,
        {
          bucket,
          policy: pulumi.all([made.arn, args.keyArn]).apply(([arn, key]) => policyText(bucketPolicy(arn, key))),
        },
        // S3 refuses a policy while the public access settings change.
        { ...child, dependsOn: access },
      ),
      new BucketLifecycleConfiguration(
        name,
        {
          bucket,
          rules: [
            {
              id: "restorable",
              status: "Enabled",
              filter: { prefix: "" },
              noncurrentVersionExpiration: { noncurrentDays: args.restorableDays },
            },
            {
              id: "abandoned-uploads",
              status: "Enabled",
              filter: { prefix: "" },
              abortIncompleteMultipartUpload: { daysAfterInitiation: ABANDONED_UPLOAD_DAYS },
            },
          ],
        },
        { ...child, dependsOn: versioning },
      ),
      ...this.logging(name, bucket, args.accessLogs, child),
    ];
    this.bucketName = bucket;
    this.arn = made.arn;
    this.registerOutputs();
  }

  private logging(
    name: string,
    bucket: pulumi.Input<string>,
    target: BlockBucketArgs["accessLogs"],
    options: pulumi.CustomResourceOptions,
  ): readonly pulumi.Resource[] {
    if (target === undefined) return [];
    return [new BucketLogging(name, { bucket, targetBucket: target.bucket, targetPrefix: target.prefix }, options)];
  }
}
