import { bucketsWith, S3 } from "../kit/aws";
import { at, items } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** Every bucket encrypts with a KMS key of its own, through a bucket key. */
export const s3KmsEncrypted = stackPolicy(
  {
    name: "s3-kms-encrypted",
    description: "Every bucket encrypts with a KMS key of its own, through a bucket key.",
    severity: "high",
    remediation:
      "give the bucket a server-side encryption configuration with aws:kms, kmsMasterKeyId and bucketKeyEnabled",
    url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
  },
  (resources) =>
    bucketsWith(resources, S3.encryption).flatMap(({ bucket, settings }) => {
      if (settings.length === 0) return [{ message: `${bucket.name} has no encryption of its own`, urn: bucket.urn }];
      return settings.flatMap(({ props, urn }) =>
        items(props["rules"]).flatMap((rule) => {
          const applied = at(rule, "applyServerSideEncryptionByDefault");
          const problems = [
            ...(at(applied, "sseAlgorithm") === "aws:kms" ? [] : ["encrypts without KMS"]),
            ...(at(applied, "kmsMasterKeyId") === undefined ? ["names no key"] : []),
            ...(at(rule, "bucketKeyEnabled") === true ? [] : ["uses no bucket key, and pays for every object"]),
          ];
          return problems.map((message) => ({ message: `${bucket.name} ${message}`, urn }));
        }),
      );
    }),
);
