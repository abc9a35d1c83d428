import type {
  PolicyResource,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { Policy, Resource } from "./policy";
import { fields, text } from "./values";

/** Key under which @pulumi/policy's proxy, which throws on every value that is unknown in a preview, keeps the original. */
const PROXY_TARGET = "__getSpecialProxyTarget";

function plain(props: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return fields(props[PROXY_TARGET] ?? props);
}

function fromPulumi(given: Pick<ResourceValidationArgs, "urn" | "type" | "name" | "props" | "opts">): Resource {
  const props = plain(given.props);
  return {
    urn: given.urn,
    type: given.type,
    name: given.name,
    props,
    isProtected: given.opts.protect,
    parent: given.opts.parent,
    id: text(props["id"]),
  };
}

/** A policy in the shape of Pulumi's policy framework. */
export function toPulumi(policy: Policy): ResourceValidationPolicy | StackValidationPolicy {
  const { name, description, severity, remediation, url } = policy;
  const shared = { name, description, severity, remediationSteps: remediation, url };
  const told = (message: string): string => `${message}\nfix: ${remediation}\nmore: ${url}`;
  if (policy.scope === "resource") {
    return {
      ...shared,
      validateResource: (args, report) => {
        for (const message of policy.check(fromPulumi(args))) report(told(message));
      },
    };
  }
  return {
    ...shared,
    validateStack: (args, report) => {
      const resources = args.resources.map((each: PolicyResource) => ({
        ...fromPulumi(each),
        parent: each.parent?.urn,
      }));
      for (const { message, urn } of policy.check(resources)) report(told(message), urn);
    },
  };
}
