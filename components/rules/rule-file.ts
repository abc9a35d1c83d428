/** A rule of a tenant, checked. Names of fields that go into a file are those of the file. */
export interface Rule {
  readonly kind: "record" | "alert";
  /** Name of the series or of the alert. */
  readonly name: string;
  readonly expr: string;
  /** Line of the first character of the expression, from 1. */
  readonly exprLine: number;
  readonly line: number;
  readonly for?: string;
  readonly keepFiringFor?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Evaluated by every shard on its own part and put together by the Ruler. */
  readonly isSharded: boolean;
}

/** A group of rules that are evaluated one after another. */
export interface RuleGroup {
  readonly name: string;
  readonly line: number;
  /** Default: `query.evaluationInterval`. */
  readonly interval?: string;
  /** Default: two scrape intervals. */
  readonly queryOffset?: string;
  readonly limit?: number;
  /** Labels for the results of all its rules. */
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly Rule[];
}

/** One file of the rules directory. */
export interface RuleFile {
  /** `alerts.yaml` */
  readonly name: string;
  readonly groups: readonly RuleGroup[];
}

/** One thing that is wrong with a rule file. */
export interface RuleProblem {
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  /** What: `groups[0].rules[2].for is "5z"`. */
  readonly found: string;
  readonly rule: string;
  readonly fix: string;
}

/** Label that marks a recording rule, or all of a group, as sharded. It is taken off before the rule is used. */
export const SHARDED_LABEL = "sharded";

/** Everything that is wrong with the rules, in one readable message. */
export class RulesError extends Error {
  constructor(
    readonly directory: string,
    readonly problems: readonly RuleProblem[],
  ) {
    const count = problems.length;
    super(
      [
        `the rule files in ${directory} have ${String(count)} ${count === 1 ? "problem" : "problems"}:`,
        ...problems.map(describe),
      ].join("\n\n") + "\n",
    );
    this.name = "RulesError";
  }
}

function describe({ file, line, found, rule, fix }: RuleProblem): string {
  const place = line === 0 ? file : `${file}:${String(line)}`;
  return `  ${place}: ${found}\n    rule: ${rule}\n    fix:  ${fix}`;
}
