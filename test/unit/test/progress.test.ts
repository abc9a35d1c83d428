import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nameOfSources, passedOn, Progress, sourcesOf, withPassed } from "../../progress";

const clean = { commit: "c1", diff: "", untracked: [] };
const file = (path: string, content: string) => ({ path, content: Buffer.from(content) });

describe("the name of sources", () => {
  it("is the commit where nothing was changed since", () => {
    expect(nameOfSources(clean)).toBe("c1");
  });

  it("is another one for another commit, diff, or new file", () => {
    const names = [
      clean,
      { ...clean, commit: "c2" },
      { ...clean, diff: "+a" },
      { ...clean, diff: "+b" },
      { ...clean, untracked: [file("a", "bc")] },
      { ...clean, untracked: [file("ab", "c")] },
      { ...clean, untracked: [file("a", "bd")] },
      { ...clean, untracked: [{ path: "a", content: undefined }] },
    ].map(nameOfSources);
    expect(new Set(names).size).toBe(names.length);
  });

  it("does not depend on the order in which git lists new files", () => {
    const [first, second] = [file("a", "1"), file("b", "2")];
    expect(nameOfSources({ ...clean, untracked: [first, second] })).toBe(
      nameOfSources({ ...clean, untracked: [second, first] }),
    );
  });
});

describe("what has passed", () => {
  it("is remembered part by part on the same sources", () => {
    const text = withPassed(withPassed(undefined, "main", "c1"), "bench-ring", "c1");
    expect([...passedOn("c1", text)]).toEqual(["main", "bench-ring"]);
  });

  it("counts for nothing once the sources are others", () => {
    const text = withPassed(undefined, "main", "c1");
    expect(passedOn("c2", text).size).toBe(0);
    expect([...passedOn("c2", withPassed(text, "rules", "c2"))]).toEqual(["rules"]);
  });

  it("is nothing in a file of an earlier form, or one that was cut off", () => {
    for (const text of [undefined, "", '["main"]', '[{"name":"ma']) expect(passedOn("c1", text).size).toBe(0);
  });
});

describe("an interrupted run", () => {
  let folder = "";
  const git = (...args: string[]): void => {
    const author = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    execFileSync("git", [...author, ...args], { cwd: folder, stdio: "ignore" });
  };
  const progress = (): Progress => new Progress(join(folder, ".state", "test-full.json"), folder);
  const passes = (name: string, run: () => boolean = () => true): Promise<boolean> =>
    progress().remembering(
      name,
      () => Promise.resolve(run()),
      (passed) => passed,
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "progress-"));
    git("init");
    writeFileSync(join(folder, ".gitignore"), ".state/\n");
    writeFileSync(join(folder, "code.ts"), "1\n");
    git("add", ".");
    git("commit", "-m", "first");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("goes on after what has passed, and runs what has failed again", async () => {
    await passes("main");
    await passes("rules", () => false);
    expect([...progress().passed()]).toEqual(["main"]);
  });

  it("runs everything again after a change, a new file or a commit", async () => {
    await passes("main");
    writeFileSync(join(folder, "code.ts"), "2\n");
    expect(progress().passed().size).toBe(0);
    await passes("main");
    git("commit", "-a", "-m", "second");
    expect(progress().passed().size).toBe(0);
    await passes("main");
    writeFileSync(join(folder, "new.ts"), "3\n");
    expect(progress().passed().size).toBe(0);
  });

  it("remembers benchmarks although they write their reports", async () => {
    mkdirSync(join(folder, "docs", "measured"), { recursive: true });
    await passes("bench-ring", () => {
      writeFileSync(join(folder, "docs", "measured", "ring.md"), "fast\n");
      return true;
    });
    expect([...progress().passed()]).toEqual(["bench-ring"]);
  });

  it("does not remember a part during which the sources were changed", async () => {
    await passes("main", () => {
      writeFileSync(join(folder, "code.ts"), "2\n");
      return true;
    });
    expect(progress().passed().size).toBe(0);
  });

  it("remembers nothing where there is no git", async () => {
    rmSync(join(folder, ".git"), { recursive: true });
    expect(sourcesOf(folder)).toBeUndefined();
    await passes("main");
    expect(progress().passed().size).toBe(0);
  });

  it("is forgotten when asked", async () => {
    await passes("main");
    progress().forget();
    expect(progress().passed().size).toBe(0);
  });
});
