import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { RulesError, type RuleFile, type RuleProblem } from "../components/rules/rule-file";
import { parseRules, type RuleLimits } from "../components/rules/parse";
import { ConfigError } from "./config";
import { promtoolProblems } from "./promtool";

/** Largest rule files of a consumer together, in bytes: they share a ConfigMap of 1 MiB with other content. */
export const RULES_LIMIT_BYTES = 900_000;

const RULE_FILE = /^[A-Za-z0-9][-._A-Za-z0-9]{0,200}\.ya?ml$/;

/** Files that may stand beside the rules. */
const OTHER_FILES = /^\..*|.*\.md$/;

/** Where the rules are, and what the pipeline asks of them. */
export interface RulesSource extends RuleLimits {
  /** Config key `rules`: relative to the repository, or absolute. */
  readonly directory: string;
}

/**
 * Reads and checks the rules directory: with a parser of our own, which tells file and line, and with promtool where it
 * is installed, which also knows types and templates.
 * @param root Folder of the repository.
 * @throws ConfigError when the directory can't be read; RulesError with everything that is wrong with the files.
 */
export function readRules(root: string, source: RulesSource): readonly RuleFile[] {
  const directory = resolve(root, source.directory);
  const { names, problems: unexpected } = filesOf(directory, source.directory);
  const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
  const { files, problems } = parseRules(texts, source);
  const found = [...unexpected, ...tooLarge(texts), ...problems];
  const paths = Object.fromEntries(names.map((name) => [name, join(directory, name)]));
  const all = found.length > 0 ? found : (promtoolProblems(paths, files) ?? []);
  if (all.length > 0) throw new RulesError(source.directory, all);
  return files;
}

function filesOf(
  directory: string,
  value: string,
): { readonly names: readonly string[]; readonly problems: readonly RuleProblem[] } {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const rule = `a directory with rule files (looked for ${directory})`;
    throw new ConfigError([{ path: "rules", value, rule, fix: "make it, correct the path, or take the key out" }]);
  }
  const entries = readdirSync(directory, { withFileTypes: true }).filter(({ name }) => !OTHER_FILES.test(name));
  const isRuleFile = (name: string) => RULE_FILE.test(name);
  const names = entries.filter((entry) => !entry.isDirectory() && isRuleFile(entry.name)).map(({ name }) => name);
  const problems = entries
    .filter(({ name }) => !names.includes(name))
    .map((entry) => ({
      file: entry.name,
      line: 0,
      found: entry.isDirectory() ? "is a folder" : "is no rule file by its name",
      rule: "the rules directory holds files named *.yaml or *.yml (letters, digits, -, _, .), and *.md",
      fix: "move or rename it",
    }));
  return { names: names.sort(), problems };
}

function tooLarge(texts: Readonly<Record<string, string>>): RuleProblem[] {
  const bytes = Object.values(texts).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= RULES_LIMIT_BYTES) return [];
  return [
    {
      file: "all files",
      line: 0,
      found: `are ${String(bytes)} bytes together`,
      rule: `at most ${String(RULES_LIMIT_BYTES)} bytes: they are handed over in a ConfigMap`,
      fix: "take rules out",
    },
  ];
}
