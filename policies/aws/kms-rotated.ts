import { KEY } from "../kit/aws";
import { resourcePolicy } from "../kit/policy";

/** Every key is rotated once a year. */
export const kmsRotated = resourcePolicy(
  {
    name: "kms-rotated",
    description: "Every key is rotated once a year.",
    severity: "medium",
    remediation: "set enableKeyRotation",
    url: "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
    types: [KEY],
  },
  ({ props }) => (props["enableKeyRotation"] === true ? [] : ["enableKeyRotation is not true"]),
);
