import type { Policy, Resource, Severity } from "./policy";

/** A violation, with the policy that found it. */
export interface Finding {
  readonly policy: string;
  readonly severity: Severity;
  readonly message: string;
  readonly urn: string | undefined;
  readonly remediation: string;
  readonly url: string;
}

function found(policy: Policy, message: string, urn: string | undefined): Finding {
  const { name, severity, remediation, url } = policy;
  return { policy: name, severity, message, urn, remediation, url };
}

/** Runs policies over the resources of one stack, in this process. */
export function evaluate(policies: readonly Policy[], resources: readonly Resource[]): readonly Finding[] {
  return policies.flatMap((policy) =>
    policy.scope === "stack"
      ? policy.check(resources).map(({ message, urn }) => found(policy, message, urn))
      : resources.flatMap((resource) => policy.check(resource).map((message) => found(policy, message, resource.urn))),
  );
}

/** A finding in three lines, for people. */
export function describeFinding({ policy, severity, message, urn, remediation, url }: Finding): string {
  const where = urn === undefined ? "" : ` (${urn.split("::").slice(-2).join(" ")})`;
  return `${policy} [${severity}]${where}: ${message}\n    fix:  ${remediation}\n    more: ${url}`;
}
