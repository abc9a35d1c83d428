import { ROLE, statements } from "../kit/aws";
import { resourcePolicy } from "../kit/policy";

const SUBJECT = /^system:serviceaccount:[a-z0-9-]+:[a-z0-9-]+$/;

/** A role trusts one service account, EKS Pod Identity or an AWS service, never everybody. */
export const iamTrustNarrow = resourcePolicy(
  {
    name: "iam-trust-narrow",
    description: "A role trusts one service account, EKS Pod Identity or an AWS service, never everybody.",
    severity: "critical",
    remediation: "compare the token's sub with one system:serviceaccount:<namespace>:<name> by StringEquals",
    url: "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html",
    types: [ROLE],
  },
  ({ props }) =>
    (statements(props["assumeRolePolicy"]) ?? [])
      .filter(({ isAllow }) => isAllow)
      .flatMap(({ actions, principals, conditions }) => {
        if (principals.includes("*")) return ["everybody may assume it"];
        if (!actions.includes("sts:AssumeRoleWithWebIdentity")) return [];
        const subjects = conditions.filter(({ operator, key }) => operator === "StringEquals" && key.endsWith(":sub"));
        const isOne = subjects.some(({ values }) => values.length === 1 && SUBJECT.test(values[0] ?? ""));
        return isOne ? [] : ["its trust is not limited to one service account"];
      }),
);
