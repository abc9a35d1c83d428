import * as pulumi from "@pulumi/pulumi";
import { Provider } from "@pulumi/aws/provider";
import { getCallerIdentityOutput } from "@pulumi/aws/getCallerIdentity";
import { PROJECT } from "../model/names";

/** The AWS provider of a stack: explicit, so that neither a variable nor a profile decides the region. */
export function awsProvider(name: string, region: string): Provider {
  return new Provider(name, {
    region,
    defaultTags: { tags: { [`${PROJECT}:project`]: pulumi.getProject(), [`${PROJECT}:stack`]: pulumi.getStack() } },
  });
}

/** The account that a provider works in. */
export interface Account {
  readonly id: pulumi.Output<string>;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: pulumi.Output<string>;
}

/** Asks AWS for the account of a provider. */
export function accountOf(provider: Provider): Account {
  const identity = getCallerIdentityOutput({}, { provider });
  return { id: identity.accountId, partition: identity.arn.apply((arn) => arn.split(":")[1] ?? "aws") };
}
