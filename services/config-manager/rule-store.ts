import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Texts by file name. */
export type Files = Readonly<Record<string, string>>;

/** Written last with every change: Prometheus loads nothing anew when its files are what they were before a refusal. */
const GENERATION = "generation.yml";

/** The folder from which the program beside reads rules. It is on a volume: the last good copy outlives the pod. */
export class RuleStore {
  #writes = 0;

  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** What is there. */
  read(): Files {
    const names = readdirSync(this.folder).filter((name) => name.endsWith("_rules.yml") && !name.startsWith("."));
    return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(this.folder, name), "utf8")]));
  }

  /** Makes the folder hold exactly these files, each of them replaced at once. */
  write(files: Files): void {
    const before = this.read();
    for (const [name, text] of Object.entries(files)) {
      if (before[name] !== text) this.#put(name, text);
    }
    for (const name of Object.keys(before)) {
      if (!Object.hasOwn(files, name)) rmSync(join(this.folder, name), { force: true });
    }
    this.#writes += 1;
    this.#put(GENERATION, `# ${String(Date.now())}-${String(this.#writes)}\ngroups: []\n`);
  }

  #put(name: string, text: string): void {
    // A name that no pattern of rule files matches.
    const unfinished = join(this.folder, ".unfinished");
    writeFileSync(unfinished, text, { mode: 0o644 });
    renameSync(unfinished, join(this.folder, name));
  }
}

/**
 * Gives every rule of a file labels, as a group's own: prometheus-configmanager knows no field for them. Its files have
 * one group, which begins with its name; a file of another form is left as it is.
 */
export function withGroupLabels(text: string, labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  if (entries.length === 0) return text;
  return text.replace(
    /^(groups:\n)( *)- (name: [^\n]*\n)/,
    (_whole, groups: string, indent: string, name: string) =>
      `${groups}${indent}- ${name}${indent}  labels: {${entries.join(", ")}}\n`,
  );
}
