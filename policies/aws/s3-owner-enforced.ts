import { bucketsWith, S3 } from "../kit/aws";
import { at } from "../kit/values";
import { stackPolicy } from "../kit/policy";

/** The owner of every bucket owns all objects in it, and there are no ACLs. */
export const s3OwnerEnforced = stackPolicy(
  {
    name: "s3-owner-enforced",
    description: "The owner of every bucket owns all objects in it, and there are no ACLs.",
    severity: "medium",
    remediation: "give the bucket ownership controls with BucketOwnerEnforced, and take its ACL away",
    url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
  },
  (resources) =>
    bucketsWith(resources, S3.ownership).flatMap(({ bucket, settings }) => {
      const isEnforced = settings.some(({ props }) => at(props, "rule", "objectOwnership") === "BucketOwnerEnforced");
      const acls = resources.filter(({ type }) => (S3.acl as readonly string[]).includes(type));
      return [
        ...(isEnforced ? [] : [{ message: `${bucket.name} does not enforce its owner`, urn: bucket.urn }]),
        ...(bucket.props["acl"] === undefined ? [] : [{ message: `${bucket.name} has an ACL`, urn: bucket.urn }]),
        ...acls.map(({ name, urn }) => ({ message: `${name} is an ACL`, urn })),
      ];
    }),
);
