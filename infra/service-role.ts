import * as pulumi from "@pulumi/pulumi";
import { Role } from "@pulumi/aws/iam/role";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment";
import { Component } from "../components/kit/component";

/** Arguments of {@link ServiceRole}. */
export interface ServiceRoleArgs {
  readonly description: string;
  /** Text of the policy that says who may assume it. */
  readonly trust: pulumi.Input<string>;
  /** Names of AWS' own policies, such as `AmazonEKSClusterPolicy`. */
  readonly managedPolicies?: readonly string[];
  /** Texts of own policies by name. */
  readonly policies?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly partition: pulumi.Input<string>;
}

/** A role with its policies. */
export class ServiceRole extends Component {
  readonly arn: pulumi.Output<string>;
  /** To depend on, so that the role has all its rights when it is used and until that use has ended. */
  readonly policies: readonly pulumi.Resource[];

  constructor(name: string, args: ServiceRoleArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("ServiceRole", name, options);
    const role = new Role(name, { assumeRolePolicy: args.trust, description: args.description }, this.child());
    const attached = (args.managedPolicies ?? []).map(
      (policy) =>
        new RolePolicyAttachment(
          `${name}-${policy.split("/").at(-1) ?? policy}`,
          { role: role.name, policyArn: pulumi.interpolate`arn:${args.partition}:iam::aws:policy/${policy}` },
          this.child(),
        ),
    );
    const own = Object.entries(args.policies ?? {}).map(
      ([policyName, policy]) =>
        new RolePolicy(`${name}-${policyName}`, { name: policyName, role: role.name, policy }, this.child()),
    );
    this.arn = role.arn;
    this.policies = [...attached, ...own];
    this.registerOutputs();
  }
}
