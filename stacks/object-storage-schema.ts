import { z } from "zod";
import { STORAGE_PHASES } from "../model/storage-phase";
import { createdBucketSchema } from "./schema-aws";
import * as kit from "./schema-kit";

/** The config key `objectStorage`: a bucket in which blocks are kept for long. */

const BUCKET = /^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]$/;
const HOST = /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$/;
const PREFIX = /^[A-Za-z0-9_][-A-Za-z0-9_.]*(\/[A-Za-z0-9_][-A-Za-z0-9_.]*)*$/;
const AUTH_URL = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/;

const common = {
  prefix: kit
    .matching(PREFIX, "a path such as metrics/main: names of letters, digits, -, _ and . with / between them")
    .optional()
    .describe("Folder in the bucket, for a bucket that is shared."),
  phase: kit
    .oneOf(...STORAGE_PHASES)
    .default("steady")
    .describe(
      "steady and then shrunk for a new stack. For one that has run without object storage, one `up` each: empty-meta, " +
        "backlog (until all of it is uploaded), steady, shrunk (local disks keep retention.local only).",
    ),
  deleteDelay: kit
    .duration("1h", "90d")
    .default("48h")
    .describe("From the replacement of a block to its deletion; Store Gateways leave it at half of this."),
  consistencyDelay: kit
    .duration("0s", "6h")
    .default("30m")
    .describe("Age from which a block is compacted: for storage in which a new object is not seen at once."),
  syncInterval: kit
    .duration("10s", "1h")
    .default("5m")
    .describe("How often Store Gateways and the Compactor look for new blocks."),
} as const;

const credentials = kit.object({
  accessKey: kit.text("an access key, not empty").describe("Access key; a secret."),
  secretKey: kit.text("a secret key, not empty").describe("Secret key; a secret."),
});

const s3 = kit.object({
  type: z.literal("s3", { error: '"s3"' }).describe("S3, or a server that speaks it."),
  bucket: kit
    .matching(BUCKET, "the name of a bucket: 3 to 63 lower-case letters, digits, - or .")
    .optional()
    .describe("The bucket, which exists; or `create`."),
  create: createdBucketSchema
    .optional()
    .describe(
      "Instead of `bucket`: a bucket that this stack makes in AWS, with a KMS key and one role for each part. " +
        "`create: {}` takes all defaults.",
    ),
  region: kit.text("a region such as eu-central-1, not empty").describe("Region of the bucket."),
  endpoint: kit
    .matching(HOST, "a host with or without a port, and no scheme, such as s3.eu-central-1.amazonaws.com")
    .optional()
    .describe("Host of the server; default: that of AWS in the region."),
  insecure: kit.flag().default(false).describe("Plain HTTP: only for a server inside the cluster."),
  credentials: credentials
    .optional()
    .describe("Keys, set with `pulumi config set --secret --path`; default: workload identity."),
  sse: kit
    .object({
      type: kit.oneOf("SSE-S3", "SSE-KMS").describe("How the server encrypts objects."),
      kmsKeyId: kit.text("the id or ARN of a KMS key, not empty").optional().describe("Key of SSE-KMS."),
    })
    .optional()
    .describe("Encryption by the server; default: the bucket's own."),
  ...common,
});

const domain = (of: string) =>
  kit.text("the name of a domain, not empty").default("Default").describe(`Domain of the ${of}.`);

const swift = kit.object({
  type: z.literal("swift", { error: '"swift"' }).describe("OpenStack Swift, with Keystone."),
  authUrl: kit
    .matching(AUTH_URL, "a URL such as https://keystone.example.org:5000/v3")
    .describe("Address of Keystone."),
  container: kit
    .matching(/^[^/]{1,256}$/, "the name of a container: 1 to 256 characters, no /")
    .describe("The container; it exists."),
  segmentsContainer: kit
    .matching(/^[^/]{1,256}$/, "the name of a container: 1 to 256 characters, no /")
    .optional()
    .describe("Container of the parts of large objects; default: that of `container` with _segments after it."),
  region: kit.text("the name of a region, not empty").optional().describe("Region; default: the catalogue's first."),
  project: kit
    .object({
      name: kit.text("the name of a project, not empty").describe("Project of the container."),
      domain: domain("project"),
    })
    .optional()
    .describe("Needed with `user`; an application credential has a project of its own."),
  user: kit
    .object({
      name: kit.text("the name of a user, not empty").describe("User."),
      domain: domain("user"),
      password: kit.text("a password, not empty").describe("Password; a secret."),
    })
    .optional()
    .describe("Who writes and reads; or `applicationCredential`."),
  applicationCredential: kit
    .object({
      id: kit.text("the id of an application credential, not empty").describe("Its id."),
      secret: kit.text("the secret of an application credential, not empty").describe("Its secret; a secret."),
    })
    .optional()
    .describe("Instead of `user`, set with `pulumi config set --secret --path`."),
  ...common,
});

/** `objectStorage` with each of its types. */
export const objectStorage = z
  .discriminatedUnion("type", [s3, swift], { error: 'an object whose type is "s3" or "swift"' })
  .optional()
  .describe("A bucket in which blocks are kept for long; default: off. Sharded sizes only.");

/** The checked value of `objectStorage`. */
export type ObjectStorage = NonNullable<z.output<typeof objectStorage>>;
