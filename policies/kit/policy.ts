/** A policy as plain data and a pure function: the same one runs in the CLI, in tests, and over exported state. */

/** How bad a violation is. */
export type Severity = "low" | "medium" | "high" | "critical";

/** One resource of a stack: what was declared, or what the state holds. */
export interface Resource {
  readonly urn: string;
  /** `kubernetes:apps/v1:StatefulSet` */
  readonly type: string;
  /** Name of the Pulumi resource. */
  readonly name: string;
  /** Inputs; in the CLI's stack policies what the provider made of them. */
  readonly props: Readonly<Record<string, unknown>>;
  readonly isProtected: boolean;
  /** URN of the parent. */
  readonly parent?: string | undefined;
  /** The provider's ID, where it is known. */
  readonly id?: string | undefined;
}

/** What is said of a policy, whatever it looks at. */
interface Described {
  /** Unique, and stable: exceptions and tests name it. */
  readonly name: string;
  /** What must hold, in one sentence. */
  readonly description: string;
  readonly severity: Severity;
  /** What to do about a violation. */
  readonly remediation: string;
  /** Where the rule comes from. */
  readonly url: string;
}

/** A violation found in a whole stack. */
export interface StackViolation {
  readonly message: string;
  /** The resource to look at, where there is one. */
  readonly urn?: string | undefined;
}

/** A policy that looks at one resource at a time. */
export interface ResourcePolicy extends Described {
  readonly scope: "resource";
  readonly check: (resource: Resource) => readonly string[];
}

/** A policy that looks at all resources of a stack together. */
export interface StackPolicy extends Described {
  readonly scope: "stack";
  readonly check: (resources: readonly Resource[]) => readonly StackViolation[];
}

/** A policy of the pack. */
export type Policy = ResourcePolicy | StackPolicy;

/** Makes a policy that looks at resources of some types one at a time. */
export function resourcePolicy(
  described: Described & { readonly types: readonly string[] | RegExp },
  check: (resource: Resource) => readonly string[],
): ResourcePolicy {
  const { types, ...rest } = described;
  const applies = (type: string) => (types instanceof RegExp ? types.test(type) : types.includes(type));
  return { ...rest, scope: "resource", check: (resource) => (applies(resource.type) ? check(resource) : []) };
}

/** Makes a policy that looks at all resources together. */
export function stackPolicy(
  described: Described,
  check: (resources: readonly Resource[]) => readonly StackViolation[],
): StackPolicy {
  return { ...described, scope: "stack", check };
}
