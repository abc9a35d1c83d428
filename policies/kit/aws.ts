import type { Resource } from "./policy";
import { at, fields, isUnknown, items, json, oneOrMany, text } from "./values";

/** Type tokens of @pulumi/aws 6 and 7: the names with V2 are the same resources. */
export const S3 = {
  bucket: ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"],
  publicAccessBlock: ["aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"],
  encryption: [
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
  ],
  ownership: ["aws:s3/bucketOwnershipControls:BucketOwnershipControls"],
  versioning: ["aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2"],
  lifecycle: [
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
  ],
  policy: ["aws:s3/bucketPolicy:BucketPolicy"],
  acl: ["aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2"],
} as const;

/** Resources whose `policy` says what somebody may do. */
export const PERMISSION_TYPES = [
  "aws:iam/policy:Policy",
  "aws:iam/rolePolicy:RolePolicy",
  "aws:iam/userPolicy:UserPolicy",
  "aws:iam/groupPolicy:GroupPolicy",
] as const;

export const ROLE = "aws:iam/role:Role";
export const KEY = "aws:kms/key:Key";
export const CLUSTER = "aws:eks/cluster:Cluster";

/** Whether a bucket's setting belongs to this bucket: it names it, or, where a preview can't tell, has the same parent. */
function isOf(setting: Resource, bucket: Resource): boolean {
  const named = setting.props["bucket"];
  const names = [bucket.id, text(bucket.props["bucket"])].filter((name) => name !== undefined);
  if (typeof named === "string" && !isUnknown(named) && names.includes(named)) return true;
  return (named === undefined || isUnknown(named) || names.length === 0) && setting.parent === bucket.parent;
}

/** The buckets of a stack, each with its settings of one kind. */
export function bucketsWith(
  resources: readonly Resource[],
  types: readonly string[],
): readonly { readonly bucket: Resource; readonly settings: readonly Resource[] }[] {
  const buckets: readonly string[] = S3.bucket;
  return resources
    .filter(({ type }) => buckets.includes(type))
    .map((bucket) => ({
      bucket,
      settings: resources.filter((each) => types.includes(each.type) && isOf(each, bucket)),
    }));
}

/** One statement of a policy document. */
export interface Statement {
  readonly isAllow: boolean;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly principals: readonly string[];
  /** Conditions: operator, key, values. */
  readonly conditions: readonly {
    readonly operator: string;
    readonly key: string;
    readonly values: readonly string[];
  }[];
}

function strings(value: unknown): readonly string[] {
  return oneOrMany(value).map(String);
}

function statement(value: unknown): Statement {
  const principal = at(value, "Principal");
  return {
    isAllow: at(value, "Effect") === "Allow",
    actions: strings(at(value, "Action")),
    resources: strings(at(value, "Resource")),
    principals: typeof principal === "string" ? [principal] : Object.values(fields(principal)).flatMap(strings),
    conditions: Object.entries(fields(at(value, "Condition"))).flatMap(([operator, keys]) =>
      Object.entries(fields(keys)).map(([key, values]) => ({ operator, key, values: strings(values) })),
    ),
  };
}

/** The statements of a policy document, JSON text or object; undefined while a preview does not know it. */
export function statements(document: unknown): readonly Statement[] | undefined {
  if (document === undefined || isUnknown(document)) return undefined;
  const parsed = json(document);
  if (parsed === undefined) return undefined;
  const list = at(parsed, "Statement");
  return (Array.isArray(list) ? items(list) : [list]).map(statement);
}

/** Permission documents of a resource: its own `policy`, or the inline ones of a role. */
export function permissions(resource: Resource): readonly Statement[] {
  const inline = items(resource.props["inlinePolicies"]).map((each) => at(each, "policy"));
  return [resource.props["policy"], ...inline].flatMap((document) => statements(document) ?? []);
}
