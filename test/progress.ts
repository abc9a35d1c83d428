/** What of `make test-full` has passed, and on which sources: a run that was interrupted goes on where it was. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

/** One part that passed. */
export interface Passed {
  readonly name: string;
  /** The sources it passed on (`nameOfSources`). */
  readonly sources: string;
}

/** What differs from the commit. */
export interface Changes {
  readonly commit: string;
  /** Changes of files that git knows, as `git diff` prints them. */
  readonly diff: string;
  /** Files that git does not know and does not ignore; content undefined: gone meanwhile. */
  readonly untracked: readonly { readonly path: string; readonly content: Buffer | undefined }[];
}

const passedSchema = z.array(z.object({ name: z.string(), sources: z.string() }));

/** Names sources: the commit, and a digest of what was changed since. Equal names, equal sources. */
export function nameOfSources({ commit, diff, untracked }: Changes): string {
  if (diff === "" && untracked.length === 0) return commit;
  const hash = createHash("sha256").update(`${String(diff.length)}\n${diff}`);
  const inOrder = [...untracked].sort((left, right) => (left.path < right.path ? -1 : 1));
  for (const { path, content } of inOrder) {
    hash.update(`${String(path.length)} ${content === undefined ? "gone" : String(content.length)}\n${path}`);
    hash.update(content ?? "");
  }
  return `${commit}+${hash.digest("hex").slice(0, 16)}`;
}

/** Names of what a file of earlier runs says has passed on these sources; of none when it can't be read. */
export function passedOn(sources: string, text: string | undefined): ReadonlySet<string> {
  return new Set(entriesOf(text).flatMap((each) => (each.sources === sources ? [each.name] : [])));
}

/** The file's new text once `name` has passed on `sources`; what it says of other sources is forgotten. */
export function withPassed(text: string | undefined, name: string, sources: string): string {
  const names = new Set([...passedOn(sources, text), name]);
  const entries: readonly Passed[] = [...names].map((each) => ({ name: each, sources }));
  return `${JSON.stringify(entries, undefined, 2)}\n`;
}

function entriesOf(text: string | undefined): readonly Passed[] {
  if (text === undefined) return [];
  try {
    return passedSchema.catch([]).parse(JSON.parse(text));
  } catch {
    return [];
  }
}

/** Reports of benchmarks: written by the very run that remembers, and read by none of its parts. */
const REPORTS = "docs/measured";

/**
 * The sources as they are now, reports of benchmarks left out.
 * @returns undefined where git is missing or `repository` is none of its: nothing may be remembered then.
 */
export function sourcesOf(repository: string): string | undefined {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: repository,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "ignore"],
    });
  const sources = ["--", ".", `:(exclude)${REPORTS}`];
  try {
    const untracked = git("ls-files", "--others", "--exclude-standard", "-z", ...sources).split("\0");
    return nameOfSources({
      commit: git("rev-parse", "HEAD").trim(),
      diff: git("diff", "HEAD", "--binary", "--no-ext-diff", ...sources),
      untracked: untracked
        .filter((path) => path !== "")
        .map((path) => ({ path, content: contentOf(join(repository, path)) })),
    });
  } catch {
    return undefined;
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** The file of what has passed. */
export class Progress {
  /** @param file Made when the first part passes. */
  constructor(
    private readonly file: string,
    private readonly repository: string,
  ) {}

  /** Names of the parts that passed on the sources as they are now. */
  passed(): ReadonlySet<string> {
    const sources = sourcesOf(this.repository);
    return sources === undefined ? new Set() : passedOn(sources, this.#text());
  }

  /** Runs a part, and remembers it when it has passed; not when the sources were changed meanwhile. */
  async remembering<T>(name: string, run: () => Promise<T>, hasPassed: (outcome: T) => boolean): Promise<T> {
    const before = sourcesOf(this.repository);
    const outcome = await run();
    if (before !== undefined && hasPassed(outcome) && before === sourcesOf(this.repository)) {
      mkdirSync(dirname(this.file), { recursive: true });
      writeFileSync(this.file, withPassed(this.#text(), name, before));
    }
    return outcome;
  }

  /** Everything has passed: the next run starts anew. */
  forget(): void {
    rmSync(this.file, { force: true });
  }

  #text(): string | undefined {
    return existsSync(this.file) ? readFileSync(this.file, "utf8") : undefined;
  }
}
