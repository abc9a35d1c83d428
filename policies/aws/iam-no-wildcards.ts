import { PERMISSION_TYPES, permissions, ROLE } from "../kit/aws";
import { resourcePolicy } from "../kit/policy";

/** No identity is allowed everything of a service, or an action on everything. */
export const iamNoWildcards = resourcePolicy(
  {
    name: "iam-no-wildcards",
    description: "No identity is allowed everything of a service, or an action on everything.",
    severity: "high",
    remediation: "list the actions, and name the bucket's ARN and prefix",
    url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    types: [...PERMISSION_TYPES, ROLE],
  },
  (resource) =>
    permissions(resource)
      .filter(({ isAllow }) => isAllow)
      .flatMap(({ actions, resources }) => [
        ...actions.filter((action) => /^\*$|:\*$/.test(action)).map((action) => `allows ${action}`),
        ...(resources.includes("*") ? [`allows ${actions.join(", ")} on every resource`] : []),
      ]),
);
