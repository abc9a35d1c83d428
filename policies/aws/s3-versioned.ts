import { bucketsWith, S3 } from "../kit/aws";
import { at } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** Every bucket keeps what was overwritten or deleted for a while. */
export const s3Versioned = stackPolicy(
  {
    name: "s3-versioned",
    description: "Every bucket keeps what was overwritten or deleted for a while.",
    severity: "medium",
    remediation: "give the bucket a versioning of its own with the status Enabled",
    url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
  },
  (resources) =>
    bucketsWith(resources, S3.versioning).flatMap(({ bucket, settings }) => {
      const isOn = settings.some(({ props }) => at(props, "versioningConfiguration", "status") === "Enabled");
      return isOn ? [] : [{ message: `${bucket.name} is not versioned`, urn: bucket.urn }];
    }),
);
