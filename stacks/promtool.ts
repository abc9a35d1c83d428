import { spawnSync } from "node:child_process";
import type { RuleFile, RuleProblem } from "../components/rules/rule-file";

/** Longest that promtool may take, in milliseconds. */
const TIMEOUT = 30_000;

/** `/path/alerts.yaml: 7:15: group "g", rule 1, "a:b": could not parse expression: ...`; the place is not always told. */
const LINE = /^(?<path>.+?\.ya?ml): (?:(?<line>\d+):\d+: )?(?<message>.+)$/;

/** How it names a rule where it tells no place: by its number in the group, from 1. */
const NAMED_RULE = /^group "(?<group>[^"]*)", rule (?<number>\d+)/;

/**
 * What the real promtool says of rule files.
 * @param paths Absolute paths by file name.
 * @param files What the files hold.
 * @returns undefined where no promtool is installed.
 */
export function promtoolProblems(
  paths: Readonly<Record<string, string>>,
  files: readonly RuleFile[],
): readonly RuleProblem[] | undefined {
  const names = Object.keys(paths);
  if (names.length === 0) return [];
  const result = spawnSync("promtool", ["check", "rules", "--lint=none", ...Object.values(paths)], {
    encoding: "utf8",
    timeout: TIMEOUT,
  });
  if (result.error !== undefined) return undefined;
  if (result.status === 0) return [];
  const problems = promtoolOutput(`${result.stdout}\n${result.stderr}`, paths, files);
  return problems.length > 0
    ? problems
    : [
        {
          file: names.join(", "),
          line: 0,
          found: result.stderr.trim(),
          rule: "promtool check rules",
          fix: "correct it",
        },
      ];
}

/** Problems in the output of `promtool check rules`. */
export function promtoolOutput(
  output: string,
  paths: Readonly<Record<string, string>>,
  files: readonly RuleFile[],
): RuleProblem[] {
  const problems = output.split("\n").flatMap((text) => {
    const found = LINE.exec(text.trim())?.groups;
    const file = Object.keys(paths).find((name) => paths[name] === found?.["path"]);
    if (file === undefined || found === undefined) return [];
    return [
      {
        file,
        line: Number(
          found["line"] ??
            lineOf(
              found["message"] ?? "",
              files.find(({ name }) => name === file),
            ),
        ),
        found: found["message"] ?? "",
        rule: "promtool check rules accepts the file",
        fix: "correct the rule",
      },
    ];
  });
  // It tells some problems twice.
  return problems.filter(
    ({ file, line, found }, at) =>
      problems.findIndex((other) => other.file === file && other.line === line && other.found === found) === at,
  );
}

/** Line of the rule that a message names; 0 when it names none. */
function lineOf(message: string, file: RuleFile | undefined): number {
  const named = NAMED_RULE.exec(message)?.groups;
  const group = file?.groups.find(({ name }) => name === named?.["group"]);
  return group?.rules[Number(named?.["number"]) - 1]?.line ?? 0;
}
