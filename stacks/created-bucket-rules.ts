import { PROJECT } from "../model/names";
import type { ParsedConfig } from "./schema";
import { AWS_REGION } from "./schema-aws";
import type { Violation } from "./violation";

/** Cross-field rules of `objectStorage.create`: a bucket that the stack makes. */

type Valid = Partial<ParsedConfig>;

const CREATE = `${PROJECT}:objectStorage.create`;

/** What the stack decides by itself when it makes the bucket, and why. */
const DECIDED = {
  bucket: "gives the bucket a name of its own: names of buckets are unique in the world",
  endpoint: "makes the bucket in AWS S3, whose host follows from the region",
  credentials: "gives each part a role of its own: no keys",
  sse: "encrypts the bucket under a KMS key of its own, and refuses any other",
} as const;

function notBoth({ objectStorage: storage }: Valid): readonly Violation[] {
  if (storage?.type !== "s3" || storage.create === undefined) return [];
  const decided = (Object.keys(DECIDED) as (keyof typeof DECIDED)[])
    .filter((name) => storage[name] !== undefined)
    .map((name) => ({
      path: `objectStorage.${name}`,
      value: storage[name],
      rule: `not together with ${CREATE}, which ${DECIDED[name]}`,
      fix: `take objectStorage.${name} out, or objectStorage.create for a bucket that exists`,
    }));
  if (!storage.insecure) return decided;
  const insecure = {
    path: "objectStorage.insecure",
    value: true,
    rule: `not together with ${CREATE}, whose bucket refuses what comes without TLS`,
    fix: "take objectStorage.insecure out",
  };
  return [...decided, insecure];
}

function eitherOne({ objectStorage: storage }: Valid): readonly Violation[] {
  if (storage?.type !== "s3" || storage.create !== undefined || storage.bucket !== undefined) return [];
  return [
    {
      path: "objectStorage.bucket",
      value: undefined,
      rule: `needed without ${CREATE}`,
      fix: "name a bucket that exists, or set objectStorage.create to {} for one that this stack makes in AWS",
    },
  ];
}

function region({ objectStorage: storage }: Valid): readonly Violation[] {
  if (storage?.type !== "s3" || storage.create === undefined || AWS_REGION.test(storage.region)) return [];
  return [
    {
      path: "objectStorage.region",
      value: storage.region,
      rule: `an AWS region while ${CREATE} makes the bucket there`,
      fix: "name one such as eu-west-1, best that of the cluster",
    },
  ];
}

function identity({ objectStorage: storage, cluster }: Valid): readonly Violation[] {
  if (storage?.type !== "s3" || storage.create === undefined || cluster === undefined) return [];
  if (cluster.kind !== "kubeconfig" || storage.create.oidcProvider !== undefined) return [];
  return [
    {
      path: "objectStorage.create.oidcProvider",
      value: undefined,
      rule:
        `needed while ${PROJECT}:cluster.kind is "kubeconfig": without it the parts' roles go through EKS Pod Identity, ` +
        "which needs the name of an EKS cluster",
      fix: 'name the cluster\'s IAM OpenID Connect provider, or the cluster itself by cluster.kind "eks" or "stack"',
    },
  ];
}

/** Rules about `objectStorage.create` together with other keys. */
export const CREATED_BUCKET_RULES = [notBoth, eitherOne, region, identity] as const;
