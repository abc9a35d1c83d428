import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The rule files that prometheus-configmanager has written, as one thing: a consumer has all of them or none. */
export interface RuleSet {
  /** Hash of all names and texts. */
  readonly version: string;
  /** Texts by file name. */
  readonly files: Readonly<Record<string, string>>;
}

/** `<tenant>_rules.yml`, as prometheus-configmanager names its files; anything else in the folder is none of them. */
const RULE_FILE = /^[^./\\\0][^/\\\0]*_rules\.yml$/;

/** Milliseconds between two looks that must agree: files are written in place, first emptied and then filled. */
const SETTLE_PAUSE = 100;

/** Looks until it is an error that the files never stand still. */
const SETTLE_LOOKS = 30;

/** Version of a set of files. */
export function versionOf(files: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(files).sort()) hash.update(`${name}\0${files[name] ?? ""}\0`);
  return hash.digest("hex").slice(0, 16);
}

/** Reads a folder once. @throws Error when it can't be read. */
export function readRuleSet(folder: string): RuleSet {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && RULE_FILE.test(entry.name))
    .map(({ name }) => name)
    .sort();
  const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  return { version: versionOf(files), files };
}

/** Reads a folder until two looks in a row agree, so that no half-written file is ever handed on. */
export async function settledRuleSet(folder: string, pause = SETTLE_PAUSE): Promise<RuleSet> {
  let before = readRuleSet(folder);
  for (let looks = 0; looks < SETTLE_LOOKS; looks++) {
    await sleep(pause);
    const now = readRuleSet(folder);
    if (now.version === before.version) return now;
    before = now;
  }
  throw new Error(`${folder}: the rule files kept changing`);
}

/**
 * Reads the answer of rules-server. A cut-off or altered one is refused: names, texts and version must fit together.
 * @throws Error that says what is wrong.
 */
export function parseRuleSet(text: string): RuleSet {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || !("version" in parsed) || !("files" in parsed)) {
    throw new Error("the answer has no version or no files");
  }
  const { version, files } = parsed;
  if (typeof version !== "string" || typeof files !== "object" || files === null) {
    throw new Error("the answer's version or files are of the wrong kind");
  }
  const entries = Object.entries(files as Readonly<Record<string, unknown>>).map(([name, content]) => {
    if (!RULE_FILE.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a rule file`);
    if (typeof content !== "string") throw new Error(`${name} has no text`);
    return [name, content] as const;
  });
  const checked = Object.fromEntries(entries);
  if (versionOf(checked) !== version) throw new Error("the files don't make up the version that the answer names");
  return { version, files: checked };
}
