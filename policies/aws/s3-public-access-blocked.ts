import { bucketsWith, S3 } from "../kit/aws";
import { stackPolicy } from "../kit/policy";

const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"] as const;

/** All four blocks of public access are on for every bucket. */
export const s3PublicAccessBlocked = stackPolicy(
  {
    name: "s3-public-access-blocked",
    description: "All four blocks of public access are on for every bucket.",
    severity: "critical",
    remediation: "give the bucket an aws.s3.BucketPublicAccessBlock with all four set",
    url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
  },
  (resources) =>
    bucketsWith(resources, S3.publicAccessBlock).flatMap(({ bucket, settings }) => {
      if (settings.length === 0) return [{ message: `${bucket.name} has no public access block`, urn: bucket.urn }];
      return settings.flatMap(({ props, urn }) =>
        BLOCKS.filter((key) => props[key] !== true).map((key) => ({
          message: `${bucket.name}: ${key} is not true`,
          urn,
        })),
      );
    }),
);
