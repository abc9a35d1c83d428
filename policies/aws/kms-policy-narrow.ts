import { KEY, statements } from "../kit/aws";
import { resourcePolicy } from "../kit/policy";

/** No key may be used by everybody. */
export const kmsPolicyNarrow = resourcePolicy(
  {
    name: "kms-policy-narrow",
    description: "No key may be used by everybody.",
    severity: "critical",
    remediation: "name the account's root and the roles that use the key",
    url: "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html",
    types: [KEY],
  },
  ({ props }) =>
    (statements(props["policy"]) ?? [])
      .filter(({ isAllow, principals, conditions }) => isAllow && principals.includes("*") && conditions.length === 0)
      .map(({ actions }) => `allows ${actions.join(", ")} to everybody`),
);
