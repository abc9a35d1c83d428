import { spawnSync } from "node:child_process";
import type { RuleProblem } from "../components/rules/rule-file";

/** Longest that promtool may take, in milliseconds. */
const TIMEOUT = 30_000;

/** `/path/alerts.yaml: 7:15: group "g", rule 1, "a:b": could not parse expression: ...`; the place is not always told. */
const LINE = /^(?<path>.+?\.ya?ml): (?:(?<line>\d+):\d+: )?(?<message>.+)$/;

/**
 * What the real promtool says of rule files.
 * @param paths Absolute paths by file name.
 * @returns undefined where no promtool is installed.
 */
export function promtoolProblems(paths: Readonly<Record<string, string>>): readonly RuleProblem[] | undefined {
  const names = Object.keys(paths);
  if (names.length === 0) return [];
  const result = spawnSync("promtool", ["check", "rules", "--lint=none", ...Object.values(paths)], {
    encoding: "utf8",
    timeout: TIMEOUT,
  });
  if (result.error !== undefined) return undefined;
  if (result.status === 0) return [];
  const problems = promtoolOutput(`${result.stdout}\n${result.stderr}`, paths);
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
export function promtoolOutput(output: string, paths: Readonly<Record<string, string>>): RuleProblem[] {
  const problems = output.split("\n").flatMap((text) => {
    const found = LINE.exec(text.trim())?.groups;
    const file = Object.keys(paths).find((name) => paths[name] === found?.["path"]);
    if (file === undefined || found === undefined) return [];
    return [
      {
        file,
        line: Number(found["line"] ?? 0),
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
