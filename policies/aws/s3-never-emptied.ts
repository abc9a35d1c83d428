import { S3 } from "../kit/aws";
import { resourcePolicy } from "../kit/policy";

/** No bucket may be deleted with what is in it. */
export const s3NeverEmptied = resourcePolicy(
  {
    name: "s3-never-emptied",
    description: "No bucket may be deleted with what is in it.",
    severity: "critical",
    remediation: "take forceDestroy out",
    url: "https://www.pulumi.com/registry/packages/aws/api-docs/s3/bucket/",
    types: S3.bucket,
  },
  ({ props }) => (props["forceDestroy"] === true ? ["forceDestroy is true"] : []),
);
