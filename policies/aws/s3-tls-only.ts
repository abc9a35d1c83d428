import { bucketsWith, S3, statements } from "../kit/aws";
import { stackPolicy } from "../kit/policy";

/** Every bucket refuses requests without TLS. */
export const s3TlsOnly = stackPolicy(
  {
    name: "s3-tls-only",
    description: "Every bucket refuses requests without TLS.",
    severity: "high",
    remediation: "deny s3:* to everybody where aws:SecureTransport is false",
    url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
  },
  (resources) =>
    bucketsWith(resources, S3.policy).flatMap(({ bucket, settings }) => {
      if (settings.length === 0) return [{ message: `${bucket.name} has no policy`, urn: bucket.urn }];
      const known = settings.flatMap(({ props }) => statements(props["policy"]) ?? []);
      // A preview may not know the document: it names the bucket's ARN.
      if (settings.some(({ props }) => statements(props["policy"]) === undefined)) return [];
      const refuses = known.some(
        ({ isAllow, actions, principals, conditions }) =>
          !isAllow &&
          actions.includes("s3:*") &&
          principals.includes("*") &&
          conditions.some(({ key, values }) => key === "aws:SecureTransport" && values.includes("false")),
      );
      return refuses ? [] : [{ message: `${bucket.name} takes requests without TLS`, urn: bucket.urn }];
    }),
);
