import { bucketsWith, S3 } from "../kit/aws";
import { at, items } from "../kit/values";
import { stackPolicy } from "../kit/policy";

const CURRENT = ["expiration", "transitions"] as const;

/** An expiration that only cleans delete markers up touches no object. */
function expires(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && (at(value, "days") !== undefined || at(value, "date") !== undefined);
}

/** A bucket's lifecycle removes old versions and broken uploads, and never a current object: only the Compactor knows what may go. */
export const s3Lifecycle = stackPolicy(
  {
    name: "s3-lifecycle",
    description:
      "A bucket's lifecycle removes old versions and broken uploads, and never a current object: only the Compactor knows what may go.",
    severity: "critical",
    remediation:
      "keep noncurrentVersionExpiration and abortIncompleteMultipartUpload, and take expiration and transitions out",
    url: "https://github.com/thanos-io/thanos/issues/3529",
  },
  (resources) =>
    bucketsWith(resources, S3.lifecycle).flatMap(({ bucket, settings }) => {
      const rules = settings.flatMap(({ props }) => items(props["rules"]));
      const has = (key: string) => rules.some((rule) => at(rule, key) !== undefined);
      const problems = [
        ...(has("noncurrentVersionExpiration") ? [] : ["keeps old versions for ever"]),
        ...(has("abortIncompleteMultipartUpload") ? [] : ["keeps broken uploads for ever"]),
        ...rules.flatMap((rule) =>
          CURRENT.filter((key) => expires(at(rule, key))).map((key) => `removes or moves current objects by ${key}`),
        ),
      ];
      return problems.map((message) => ({ message: `${bucket.name} ${message}`, urn: bucket.urn }));
    }),
);
