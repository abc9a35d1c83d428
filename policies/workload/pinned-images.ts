import { isUnknown } from "../kit/values";
import { containerPolicy } from "../kit/workloads";

const DIGEST = /@sha256:[0-9a-f]{64}$/;
/** A tag that names a version: digits with at least one dot. */
const VERSION_TAG = /:v?\d+\.\d+[\w.-]*$/;

/** Every image is named by digest or by a version, so that the same stack runs the same code tomorrow. */
export const pinnedImages = containerPolicy(
  {
    name: "pinned-images",
    description: "Every image is named by digest or by a version, so that the same stack runs the same code tomorrow.",
    severity: "high",
    remediation: "name a version or, better, a digest in the stack's `images`",
    url: "https://kubernetes.io/docs/concepts/containers/images/#image-names",
  },
  ({ image }) =>
    isUnknown(image) || DIGEST.test(image) || VERSION_TAG.test(image)
      ? []
      : [`image "${image}" has neither a digest nor a version tag`],
);
